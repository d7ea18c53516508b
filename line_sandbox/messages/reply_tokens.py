"""Reply tokens: a token is valid for one reply, within a minute after its webhook.

Source: LINE Messaging API reference, "Send reply message".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

LIFETIME_SECONDS = 60
MAX_LIFETIME_SECONDS = 20 * 60
"""Lifetime from the first delivery of the webhook; redeliveries extend a token's lifetime up to this limit."""

_LAST_REDELIVERY_SECONDS = MAX_LIFETIME_SECONDS - LIFETIME_SECONDS
_USED = 0.0


class _IssuedToken(NamedTuple):
    chat: int
    issued_at: float
    expires_at: float


class ReplyTokens:
    """The tokens in webhook events that were sent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, _IssuedToken] = {}

    def issue(self, token: str, chat: int) -> None:
        """Record that an event with a token was sent. A known token is a redelivery and extends the lifetime."""
        now = self._clock.now()
        self._delete_expired(now)
        before = self._issued.get(token)
        if before is None:
            self._issued[token] = _IssuedToken(chat, now, now + LIFETIME_SECONDS)
        elif before.expires_at != _USED:
            redelivered_at = min(now, before.issued_at + _LAST_REDELIVERY_SECONDS)
            self._issued[token] = before._replace(expires_at=redelivered_at + LIFETIME_SECONDS)

    def check(self, token: str) -> int:
        """Return the number of the chat that a token belongs to.

        Raises:
            InvalidRequest: The token is unknown, used or expired.
        """
        issued = self._issued.get(token)
        if issued is None or issued.expires_at <= self._clock.now():
            raise InvalidRequest("Invalid reply token")
        return issued.chat

    def use(self, token: str) -> None:
        """Mark a token as used."""
        self._issued[token] = self._issued[token]._replace(expires_at=_USED)

    def _delete_expired(self, now: float) -> None:
        while self._issued:
            oldest = next(iter(self._issued))
            if self._issued[oldest].issued_at + MAX_LIFETIME_SECONDS > now:
                return
            del self._issued[oldest]
