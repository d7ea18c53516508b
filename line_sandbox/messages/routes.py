"""Sending messages.

Source: LINE Messaging API reference, "Message", "Retrying an API request".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from line_core.ids import CHAT_ID_PATTERN, is_line_id
from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.bodies import check_line_ids, read_body
from line_sandbox.http.response import HttpResponse
from line_sandbox.messages.counters import Way
from line_sandbox.messages.narrowcasts import Phase, describe
from line_sandbox.messages.sending import Order, message_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.messages.narrowcasts import Narrowcasts
    from line_sandbox.messages.sending import Sending

RETRY_KEY_HEADER = b"x-line-retry-key"

_CHAT_ID = re.compile(CHAT_ID_PATTERN.rstrip("$") + r"\Z")
_RETRY_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def add_routes(router: Router, *, clock: Clock, narrowcasts: Narrowcasts, sending: Sending) -> None:
    """Add the routes of this module."""
    endpoints = _Sending(clock=clock, narrowcasts=narrowcasts, sending=sending)
    router.add("POST /v2/bot/message/push", endpoints.push, accepts_retry_key=True)
    router.add("POST /v2/bot/message/multicast", endpoints.multicast, accepts_retry_key=True)
    router.add("POST /v2/bot/message/broadcast", endpoints.broadcast, accepts_retry_key=True)
    router.add("POST /v2/bot/message/narrowcast", endpoints.narrowcast, accepts_retry_key=True)
    router.add("GET /v2/bot/message/progress/narrowcast", endpoints.progress)
    router.add("POST /v2/bot/message/reply", endpoints.reply)
    for way in Way:
        router.add(f"POST /v2/bot/message/validate/{way}", endpoints.validate)


class _Sending:
    def __init__(self, *, clock: Clock, narrowcasts: Narrowcasts, sending: Sending) -> None:
        self._clock = clock
        self._narrowcasts = narrowcasts
        self._sending = sending

    def push(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "sending.json#/$defs/push")
        if not _CHAT_ID.match(body["to"]):
            raise InvalidRequest.for_property("to")
        _check_place(body["messages"], is_person=is_line_id(body["to"]))
        order = _order(request, Way.PUSH, body)
        reached = self._sending.push(order, body["to"])
        return self._sent(order, note=f"{len(reached)} delivered")

    def multicast(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "sending.json#/$defs/multicast")
        check_line_ids(body["to"], "to")
        _check_place(body["messages"], is_person=True)
        reached = self._sending.multicast(_order(request, Way.MULTICAST, body), body["to"])
        return HttpResponse({}, note=f"{len(reached)} of {len(body['to'])} delivered")

    def broadcast(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "sending.json#/$defs/broadcast")
        _check_place(body["messages"], is_person=True)
        reached = self._sending.broadcast(_order(request, Way.BROADCAST, body))
        return HttpResponse({}, note=f"{len(reached)} delivered")

    def narrowcast(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "sending.json#/$defs/narrowcast")
        _check_place(body["messages"], is_person=True)
        narrowcast = self._narrowcasts.accept(
            _order(request, Way.NARROWCAST, body),
            body.get("recipient"),
            body.get("filter", {}).get("demographic"),
            body.get("limit", {}),
        )
        return HttpResponse({}, status=202, note=f"{len(narrowcast.recipients)} recipients")

    def progress(self, request: HttpRequest) -> HttpResponse:
        request_id = request.query_parameter("requestId")
        if not request_id or not _RETRY_KEY.match(request_id):
            raise InvalidRequest.for_parameter("requestId")
        narrowcast = self._narrowcasts.find(request_id)
        now = self._clock.now()
        phase = narrowcast.phase(now)
        content: dict[str, Any] = {"phase": phase, "acceptedTime": iso_time(narrowcast.accepted_at)}
        if phase is not Phase.WAITING:
            sent = int(len(narrowcast.recipients) * narrowcast.share_sent(now))
            content |= {"targetCount": len(narrowcast.recipients), "successCount": sent, "failureCount": 0}
        if narrowcast.failure and phase is Phase.FAILED:
            content |= {"failedDescription": describe(narrowcast.failure), "errorCode": int(narrowcast.failure)}
        if phase in (Phase.SUCCEEDED, Phase.FAILED):
            content["completedTime"] = iso_time(narrowcast.completed_at)
        return HttpResponse(content, note=phase)

    def reply(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "sending.json#/$defs/reply")
        order = _order(request, Way.REPLY, body)
        reached = self._sending.reply(order, body["replyToken"])
        return self._sent(order, note=f"{len(reached)} delivered")

    def validate(self, request: HttpRequest) -> HttpResponse:
        read_body(request, "sending.json#/$defs/validate")
        return HttpResponse({})

    def _sent(self, order: Order, *, note: str) -> HttpResponse:
        sent = self._sending.sent(order.request_number, message_types(order))
        return HttpResponse({"sentMessages": sent}, note=note)


def _check_place(messages: Sequence[dict[str, Any]], *, is_person: bool) -> None:
    """Let messages pass that may stand where they go: mentions in groups and rooms, tracked videos elsewhere."""
    for place, message in enumerate(messages):
        if is_person and any(part["type"] == "mention" for part in message.get("substitution", {}).values()):
            problem = Problem(f"messages[{place}].substitution", "Mentions can be sent to groups and rooms only")
            raise InvalidRequest.with_details(problem)
        if not is_person and "trackingId" in message:
            problem = Problem(f"messages[{place}].trackingId", "Must not be specified for groups and rooms")
            raise InvalidRequest.with_details(problem)


def _order(request: HttpRequest, way: Way, body: dict[str, Any]) -> Order:
    key = request.header(RETRY_KEY_HEADER)
    if key is not None and not _RETRY_KEY.match(key):
        raise InvalidRequest("The value for the 'X-Line-Retry-Key' header is invalid")
    return Order(
        endpoint=request.endpoint,
        way=way,
        request_number=request.number,
        retry_key=UUID(key) if key else None,
        messages=body["messages"],
        notification_disabled=body.get("notificationDisabled", False),
        units=body.get("customAggregationUnits", ()),
    )
