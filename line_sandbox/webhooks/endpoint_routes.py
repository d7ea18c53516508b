"""Endpoints of the webhook settings.

LINE accepts HTTPS URLs only. The sandbox also accepts plain HTTP to a loopback address, for receivers under test.

Source: LINE Messaging API reference, "Webhook settings".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse
from line_sandbox.webhooks.sender import TIMEOUT, UNREACHABLE, WebhookSender

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.webhooks.settings import WebhookSettings

_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
_REASONS = {
    UNREACHABLE: ("COULD_NOT_CONNECT", "Failure to connect"),
    TIMEOUT: ("REQUEST_TIMEOUT", "Request timeout"),
}


def add_routes(router: Router, *, settings: WebhookSettings, clock: Clock) -> None:
    """Add the routes of this module."""
    routes = _WebhookRoutes(settings, clock)
    router.add("GET /v2/bot/channel/webhook/endpoint", routes.get)
    router.add("PUT /v2/bot/channel/webhook/endpoint", routes.set)
    router.add("POST /v2/bot/channel/webhook/test", routes.test)


class _WebhookRoutes:
    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def get(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"endpoint": self._endpoint(), "active": True})

    def set(self, request: HttpRequest) -> HttpResponse:
        endpoint = read_body(request, "webhooks.json#/$defs/webhookEndpoint")["endpoint"]
        self._settings.endpoint = _checked(endpoint)
        return HttpResponse({})

    async def test(self, request: HttpRequest) -> HttpResponse:
        given = request.body and read_body(request, "webhooks.json#/$defs/webhookTest").get("endpoint")
        url = _checked(given) if given else self._endpoint()
        now = self._clock.now()
        async with WebhookSender(self._settings.target(url)) as sender:
            result = await sender.post([])
        status = int(result) if result.isdigit() else 0
        success = status == 200  # noqa: PLR2004 - the one status that LINE accepts
        reason, detail = _REASONS.get(result, ("OK" if success else "ERROR_STATUS_CODE", result))
        return HttpResponse(
            {
                "success": success,
                "timestamp": iso_time(now),
                "statusCode": status,
                "reason": reason,
                "detail": detail,
            }
        )

    def _endpoint(self) -> str:
        if self._settings.endpoint is None:
            raise NotFound("Webhook endpoint not found")
        return self._settings.endpoint


def _checked(endpoint: str) -> str:
    try:
        url = urlsplit(endpoint)
        is_allowed = bool(url.hostname) and (
            url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK_HOSTS)
        )
    except ValueError:
        is_allowed = False
    if not is_allowed:
        raise InvalidRequest("Invalid webhook endpoint URL")
    return endpoint
