"""Reply tokens: each good for one reply, within a minute of its webhook.

Source: LINE Messaging API reference, "Send reply message".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

LIFE_SECONDS = 60
LAST_REDELIVERY_SECONDS = 20 * 60

_REDELIVERABLE = LAST_REDELIVERY_SECONDS - LIFE_SECONDS
_USED = 0.0


class _Issued(NamedTuple):
    chat: int
    first_at: float
    ends_at: float


class ReplyTokens:
    """The tokens that webhooks have carried."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, _Issued] = {}

    def issue(self, token: str, chat: int) -> None:
        """A webhook carries a token for a reply to a chat; the second time it is a redelivery."""
        now = self._clock.now()
        self._forget(now)
        before = self._issued.get(token)
        if before is None:
            self._issued[token] = _Issued(chat, now, now + LIFE_SECONDS)
        elif before.ends_at != _USED:
            self._issued[token] = before._replace(ends_at=min(now, before.first_at + _REDELIVERABLE) + LIFE_SECONDS)

    def check(self, token: str) -> int:
        """The chat that a token is for.

        Raises:
            InvalidRequest: It is none, was used, or has ended.
        """
        issued = self._issued.get(token)
        if issued is None or issued.ends_at <= self._clock.now():
            raise InvalidRequest("Invalid reply token")
        return issued.chat

    def use(self, token: str) -> None:
        """A reply was sent with a token."""
        self._issued[token] = self._issued[token]._replace(ends_at=_USED)

    def _forget(self, now: float) -> None:
        while self._issued:
            oldest = next(iter(self._issued))
            if self._issued[oldest].first_at + LAST_REDELIVERY_SECONDS > now:
                return
            del self._issued[oldest]
