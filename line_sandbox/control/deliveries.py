"""Control API: the delivered messages, and counts of requests and deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.control.parameters import offset_and_limit
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.messages.delivery_log import LoggedRequest
    from line_sandbox.server.sandbox import Sandbox


def add_routes(router: Router, sandbox: Sandbox) -> None:
    """Add the routes of this module."""
    control = _DeliveryControl(sandbox)
    router.add("GET /sandbox/summary", control.summary)
    router.add("GET /sandbox/deliveries", control.deliveries)


class _DeliveryControl:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def summary(self, _: HttpRequest) -> HttpResponse:
        platform = self._sandbox.platform
        return HttpResponse(
            {
                "requests": self._sandbox.request_counts.by_endpoint(),
                "deliveries": platform.messaging.delivery_log.delivery_count,
                "recipients": platform.messaging.delivery_log.recipient_count,
                "quota_used": platform.usage.quota.used,
            }
        )

    def deliveries(self, request: HttpRequest) -> HttpResponse:
        offset, limit = offset_and_limit(request, 10_000)
        platform = self._sandbox.platform
        entries = []
        last: LoggedRequest | None = None
        described: dict[str, Any] = {}
        for logged, chat in platform.messaging.delivery_log.deliveries(offset, limit):
            if logged is not last:
                last, described = logged, self._describe(logged)
            line_id = platform.users.line_id(chat) if chat >= 0 else platform.chats.id_of(chat)
            entries.append({"line_id": line_id, **described})
        return HttpResponse({"deliveries": entries, "total": platform.messaging.delivery_log.delivery_count})

    def _describe(self, logged: LoggedRequest) -> dict[str, Any]:
        return {
            "endpoint": logged.endpoint,
            "request_id": self._sandbox.platform.request_id(logged.request_number),
            "retry_key": str(logged.retry_key) if logged.retry_key else None,
            "messages": logged.messages,
            "custom_aggregation_units": logged.units,
            "notification_disabled": logged.notification_disabled,
            "at": iso_time(logged.delivered_at),
        }
