"""Sends webhook requests with LINE's signature.

Source: LINE Messaging API reference, "Webhooks"; LINE documentation, "Verify webhook signature".
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import aiohttp
import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

LINE_TIMEOUT_SECONDS = 2.0
"""LINE's timeout for a response from the receiver."""

TIMEOUT = "timeout"
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """The receiver of webhooks, and the channel that signs them."""

    url: str
    channel_secret: str
    destination: str
    """The bot's user id."""


class WebhookSender:
    """An HTTP client for one receiver."""

    def __init__(
        self, target: WebhookTarget, *, connections: int = 1, timeout_seconds: float = LINE_TIMEOUT_SECONDS
    ) -> None:
        """Create the HTTP session.

        Args:
            target: The receiver.
            connections: Maximum number of requests in flight.
            timeout_seconds: Timeout of one request.
        """
        self._target = target
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_seconds), connector=aiohttp.TCPConnector(limit=connections)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def post(self, events: Sequence[dict[str, Any]]) -> str:
        """Send one request. Return the response status as text, or `timeout` or `unreachable`."""
        body = msgspec.json.encode({"destination": self._target.destination, "events": events})
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "LineBotWebhook/2.0",
            "x-line-signature": signature(self._target.channel_secret, body),
        }
        try:
            async with self._session.post(self._target.url, data=body, headers=headers) as response:
                await response.read()
                return str(response.status)
        except TimeoutError:
            return TIMEOUT
        except (aiohttp.ClientError, ValueError):  # aiohttp raises ValueError for some invalid URLs
            return UNREACHABLE


def signature(channel_secret: str, body: bytes) -> str:
    """Return the value of the header `x-line-signature`."""
    return base64.b64encode(hmac.digest(channel_secret.encode(), body, "sha256")).decode()
