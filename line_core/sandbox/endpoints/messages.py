"""Sending messages, and what they cost.

Source: LINE Messaging API reference, "Message", "Retry failed API requests".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from line_core.ids import CHAT_ID_PATTERN, is_line_id
from line_core.messages import Problem, check_messages
from line_core.sandbox.http import Reply, Request, error_body
from line_core.sandbox.platform.refusals import AlreadyAccepted, InvalidRequest
from line_core.sandbox.platform.sending import Order, message_id

if TYPE_CHECKING:
    from line_core.sandbox.platform.platform import Platform
    from line_core.sandbox.routing import Router

MAX_RECIPIENTS = 500

_CHAT_ID = re.compile(CHAT_ID_PATTERN.rstrip("$") + r"\Z")
_RETRY_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_RETRY_KEY_HEADER = b"x-line-retry-key"
_UNIT = re.compile(r"[a-zA-Z0-9_]{1,30}\Z")


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Messages(platform)
    router.add("POST /v2/bot/message/push", endpoints.push)
    router.add("POST /v2/bot/message/multicast", endpoints.multicast)
    router.add("GET /v2/bot/message/quota", endpoints.quota)
    router.add("GET /v2/bot/message/quota/consumption", endpoints.consumption)


class _Messages:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def push(self, request: Request) -> Reply:
        body = request.json()
        to = body.get("to")
        if not isinstance(to, str) or not _CHAT_ID.match(to):
            raise InvalidRequest.property("to")
        order = self._order(request, body)
        try:
            number = self._platform.sending.push(order, to)
        except AlreadyAccepted as refusal:
            return self._already_accepted(refusal, sent=True)
        chats = len(self._platform.log.chats(number))
        return Reply({"sentMessages": self._sent(number)}, note=f"{chats} delivered")

    def multicast(self, request: Request) -> Reply:
        body = request.json()
        to = body.get("to")
        if not isinstance(to, list) or not 1 <= len(to) <= MAX_RECIPIENTS:
            raise InvalidRequest.because(Problem("to", f"Size must be between 1 and {MAX_RECIPIENTS}"))
        for place, line_id in enumerate(to):
            if not is_line_id(line_id):
                raise InvalidRequest.property(f"to[{place}]")
        order = self._order(request, body)
        try:
            number = self._platform.sending.multicast(order, to)
        except AlreadyAccepted as refusal:
            return self._already_accepted(refusal)
        return Reply({}, note=f"{len(self._platform.log.chats(number))} of {len(to)} delivered")

    def quota(self, _: Request) -> Reply:
        limit = self._platform.quota.limit
        return Reply({"type": "none"} if limit is None else {"type": "limited", "value": limit})

    def consumption(self, _: Request) -> Reply:
        return Reply({"totalUsage": self._platform.quota.used})

    def _order(self, request: Request, body: dict[str, Any]) -> Order:
        if problems := check_messages(body.get("messages")):
            raise InvalidRequest.because(*problems)
        key = _retry_key(request)
        content = {"messages": body["messages"]}
        if body.get("notificationDisabled"):
            content["notificationDisabled"] = True
        if units := self._units(body.get("customAggregationUnits")):
            content["customAggregationUnits"] = units
        return Order(request.endpoint, request.number, key, msgspec.json.encode(content))

    def _units(self, units: object) -> list[str]:
        if units is None:
            return []
        if not isinstance(units, list) or len(units) > 1:
            raise InvalidRequest.because(Problem("customAggregationUnits", "Size must be between 0 and 1"))
        for unit in units:
            if not isinstance(unit, str) or not _UNIT.match(unit):
                raise InvalidRequest.because(Problem("customAggregationUnits[0]", "Invalid unit name"))
        return [unit for unit in units if self._platform.units.take(unit)]

    def _already_accepted(self, refusal: AlreadyAccepted, *, sent: bool = False) -> Reply:
        content: dict[str, Any] = error_body(refusal.message)
        if sent:
            content["sentMessages"] = self._sent(refusal.number)
        accepted = self._platform.log.request(refusal.number)
        return Reply(
            content,
            status=refusal.status,
            headers={"x-line-accepted-request-id": self._platform.request_id(accepted.request_number)},
        )

    def _sent(self, number: int) -> list[dict[str, str]]:
        content = msgspec.json.decode(self._platform.log.request(number).content)
        return [{"id": message_id(number, place)} for place in range(len(content["messages"]))]


def _retry_key(request: Request) -> UUID | None:
    key = request.header(_RETRY_KEY_HEADER)
    if key is None:
        return None
    if not _RETRY_KEY.match(key):
        raise InvalidRequest("The value for the 'X-Line-Retry-Key' header is invalid")
    return UUID(key)
