"""Endpoints that send narrowcasts and return their progress.

Source: LINE Messaging API reference, "Send narrowcast message", "Get narrowcast message status".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import iso_time
from line_sandbox.foundation.uuid_format import is_uuid
from line_sandbox.http.response import HttpResponse
from line_sandbox.messages.bodies import read_messages_body
from line_sandbox.messages.recipient_rules import check_for_users
from line_sandbox.messages.send_request import read_send_request
from line_sandbox.narrowcasts.demographic_filter import check_demographic
from line_sandbox.narrowcasts.state import NarrowcastPhase
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.narrowcasts.state import Narrowcasts


def add_routes(router: Router, *, narrowcasts: Narrowcasts, clock: Clock) -> None:
    """Add the routes of this module."""
    routes = _NarrowcastRoutes(narrowcasts, clock)
    router.add("POST /v2/bot/message/narrowcast", routes.send, accepts_retry_key=True)
    router.add("GET /v2/bot/message/progress/narrowcast", routes.progress)


class _NarrowcastRoutes:
    def __init__(self, narrowcasts: Narrowcasts, clock: Clock) -> None:
        self._narrowcasts = narrowcasts
        self._clock = clock

    def send(self, request: HttpRequest) -> HttpResponse:
        body = read_messages_body(request, "narrowcasts.json#/$defs/narrowcast")
        check_for_users(body["messages"])
        if demographic := body.get("filter", {}).get("demographic"):
            check_demographic(demographic)
        self._narrowcasts.accept(
            read_send_request(request, DeliveryMethod.NARROWCAST, body),
            body.get("recipient"),
            demographic,
            body.get("limit", {}),
        )
        return HttpResponse({}, status=202)

    def progress(self, request: HttpRequest) -> HttpResponse:
        request_id = request.query_parameter("requestId")
        if not request_id or not is_uuid(request_id):
            raise InvalidRequest.for_parameter("requestId")
        narrowcast = self._narrowcasts.find(request_id)
        now = self._clock.now()
        phase = narrowcast.phase(now)
        content: dict[str, Any] = {"phase": phase, "acceptedTime": iso_time(narrowcast.accepted_at)}
        if phase is not NarrowcastPhase.WAITING:
            sent = int(len(narrowcast.recipients) * narrowcast.fraction_sent(now))
            failures = narrowcast.failure_count
            content |= {
                "targetCount": len(narrowcast.recipients),
                "successCount": sent - failures,
                "failureCount": failures,
            }
        if narrowcast.failure and phase is NarrowcastPhase.FAILED:
            content |= {
                "failedDescription": narrowcast.failure.description,
                "errorCode": int(narrowcast.failure),
            }
        if phase in (NarrowcastPhase.SUCCEEDED, NarrowcastPhase.FAILED):
            content["completedTime"] = iso_time(narrowcast.completed_at)
        return HttpResponse(content, note=phase)
