"""The webhook endpoint.

LINE takes HTTPS URLs only. The sandbox takes plain HTTP to this machine too, where receivers are rehearsed.

Source: LINE Messaging API reference, "Webhook settings".
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.clock import iso_time
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import read_body
from line_sandbox.webhooks.sender import Envelope, WebhookSender

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
_REASONS = {
    "unreachable": ("COULD_NOT_CONNECT", "Failure to connect"),
    "timeout": ("REQUEST_TIMEOUT", "Request timeout"),
}


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _WebhookSettings(platform)
    router.add("GET /v2/bot/channel/webhook/endpoint", endpoints.get)
    router.add("PUT /v2/bot/channel/webhook/endpoint", endpoints.set)
    router.add("POST /v2/bot/channel/webhook/test", endpoints.test)


class _WebhookSettings:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def get(self, _: Request) -> Reply:
        return Reply({"endpoint": self._endpoint(), "active": True})

    def set(self, request: Request) -> Reply:
        endpoint = read_body(request, "requests.json#/$defs/webhookEndpoint")["endpoint"]
        self._platform.webhook_endpoint = _checked(endpoint)
        return Reply({})

    async def test(self, request: Request) -> Reply:
        given = request.body and read_body(request, "requests.json#/$defs/webhookTest").get("endpoint")
        url = _checked(given) if given else self._endpoint()
        now = self._platform.clock.now()
        envelope = Envelope(url, self._platform.options.channel_secret, self._platform.account.user_id)
        async with WebhookSender(envelope) as sender:
            answer = await sender.post([])
        status = int(answer) if answer.isdigit() else 0
        success = status == 200  # noqa: PLR2004 - LINE asks for this one
        reason, detail = _REASONS.get(answer, ("OK" if success else "ERROR_STATUS_CODE", answer))
        return Reply(
            {
                "success": success,
                "timestamp": iso_time(now),
                "statusCode": status,
                "reason": reason,
                "detail": detail,
            }
        )

    def _endpoint(self) -> str:
        if self._platform.webhook_endpoint is None:
            raise NotFound("Webhook endpoint not found")
        return self._platform.webhook_endpoint


def _checked(endpoint: str) -> str:
    try:
        url = urlsplit(endpoint)
        is_allowed = bool(url.hostname) and (
            url.scheme == "https" or (url.scheme == "http" and url.hostname in _THIS_MACHINE)
        )
    except ValueError:
        is_allowed = False
    if not is_allowed:
        raise InvalidRequest("Invalid webhook endpoint URL")
    return endpoint
