"""Endpoints that send LINE notification messages, and that count them.

The sandbox does not know LINE's templates; it accepts every key that ends with a language, such as `_ja`.

Source: LINE notification messages API reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse
from line_sandbox.messages.bodies import read_messages_body
from line_sandbox.messages.recipient_rules import check_for_users
from line_sandbox.messages.send_request import SendRequest
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Handler, Router
    from line_sandbox.notifications.sender import NotificationSender
    from line_sandbox.usage.routes import SentMessageCounts

_DELIVERY_TAG_HEADER = b"x-line-delivery-tag"
_DELIVERY_TAG_LENGTHS = range(16, 101)
_MEDIA_TYPES = ("image", "video", "audio")
_TEMPLATE_KEY = re.compile(r"[a-z0-9_]+_[a-z]{2}(_[A-Z]{2})?")


def add_routes(router: Router, *, sender: NotificationSender, counts: SentMessageCounts, has_contract: bool) -> None:
    """Add the routes of this module; without a contract, all respond 403."""
    routes = _NotificationRoutes(sender)
    handlers: dict[str, Handler] = {
        "POST /bot/pnp/push": routes.push,
        "POST /v2/bot/message/pnp/templated/push": routes.push_template,
        "GET /v2/bot/message/delivery/pnp": lambda request: counts.respond(request, DeliveryMethod.PNP),
        "GET /v2/bot/message/delivery/pnp/templated": (
            lambda request: counts.respond(request, DeliveryMethod.PNP_TEMPLATED)
        ),
    }
    for endpoint, handler in handlers.items():
        router.add(endpoint, handler if has_contract else _forbid)


def _forbid(_: HttpRequest) -> HttpResponse:
    raise Forbidden.for_account_type()


class _NotificationRoutes:
    def __init__(self, sender: NotificationSender) -> None:
        self._sender = sender

    def push(self, request: HttpRequest) -> HttpResponse:
        _check_delivery_tag(request)
        body = read_messages_body(request, "notifications.json#/$defs/flexible")
        check_for_users(body["messages"])
        for index, message in enumerate(body["messages"]):
            if message["type"] in _MEDIA_TYPES:
                problem = Problem(f"messages[{index}].type", "Must not be image, video or audio")
                raise InvalidRequest.with_details(problem)
        return self._send(request, DeliveryMethod.PNP, body["to"], body["messages"], status=200)

    def push_template(self, request: HttpRequest) -> HttpResponse:
        _check_delivery_tag(request)
        body = read_body(request, "notifications.json#/$defs/templated")
        _check_template(body["templateKey"], body["body"])
        content = {"type": "notification", "templateKey": body["templateKey"], "body": body["body"]}
        return self._send(request, DeliveryMethod.PNP_TEMPLATED, body["to"], [content], status=202)

    def _send(
        self, request: HttpRequest, method: DeliveryMethod, digest: str, messages: list[dict[str, Any]], *, status: int
    ) -> HttpResponse:
        send_request = SendRequest(request.endpoint, method, request.number, None, messages)
        reached = self._sender.send(send_request, digest)
        return HttpResponse({}, status=status, note=f"{len(reached)} delivered")


def _check_delivery_tag(request: HttpRequest) -> None:
    tag = request.header(_DELIVERY_TAG_HEADER)
    if tag is not None and len(tag) not in _DELIVERY_TAG_LENGTHS:
        raise InvalidRequest("The value for the 'X-Line-Delivery-Tag' header is invalid")


def _check_template(key: str, body: dict[str, Any]) -> None:
    """Check what the schema does not contain.

    Raises:
        InvalidRequest: The template does not exist, or an item occurs twice.
    """
    if not _TEMPLATE_KEY.fullmatch(key):
        problem = Problem("templateKey", "The specified template doesn't exist, or you don't have the permission")
        raise InvalidRequest(f"Invalid templateKey: {key}", [problem])
    seen: set[str] = set()
    items = [(f"body.items[{index}].itemKey", item) for index, item in enumerate(body.get("items", []))]
    items += [("body.emphasizedItem.itemKey", body["emphasizedItem"])] if "emphasizedItem" in body else []
    for name, item in items:
        if item["itemKey"] in seen:
            text = "Duplicate itemKey in items or between emphasizedItem and items are not allowed"
            raise InvalidRequest.with_details(Problem(name, f"{text}: {item['itemKey']}"))
        seen.add(item["itemKey"])
