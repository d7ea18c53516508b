"""Sends webhook requests, signed as LINE signs them.

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

LINE_PATIENCE_SECONDS = 2.0
"""LINE gives up on a receiver that does not answer in two seconds."""

TIMEOUT = "timeout"
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """The receiver of webhooks and the channel that signs them."""

    url: str
    channel_secret: str
    destination: str
    """The bot's user id."""


class WebhookSender:
    """Connections to a receiver."""

    def __init__(
        self, target: WebhookTarget, *, connections: int = 1, patience_seconds: float = LINE_PATIENCE_SECONDS
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            target: Where to, and as whose.
            connections: Requests in flight, at most.
            patience_seconds: How long the receiver may take for its answer.
        """
        self._target = target
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=patience_seconds), connector=aiohttp.TCPConnector(limit=connections)
        )

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._session.close()

    async def post(self, events: Sequence[dict[str, Any]]) -> str:
        """Send one request; returns the status of the answer, or `timeout` or `unreachable`."""
        body = msgspec.json.encode({"destination": self._target.destination, "events": events})
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "LineBotWebhook/2.0",
            "x-line-signature": signature(self._target.channel_secret, body),
        }
        try:
            async with self._session.post(self._target.url, data=body, headers=headers) as answer:
                await answer.read()
                return str(answer.status)
        except TimeoutError:
            return TIMEOUT
        except (aiohttp.ClientError, ValueError):  # a URL that is none is a ValueError
            return UNREACHABLE


def signature(secret: str, body: bytes) -> str:
    """The value of `x-line-signature`."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
