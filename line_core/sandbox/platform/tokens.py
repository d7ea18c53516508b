"""Channel access tokens: long-lived, short-lived, stateless and v2.1.

Source: LINE Messaging API reference, "Channel access token"; guide "Generate JSON Web Tokens".
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.sandbox.platform.chance import Chance

if TYPE_CHECKING:
    from line_core.sandbox.platform.clock import Clock

STATELESS_SECONDS = 15 * 60
SHORT_LIVED_SECONDS = 30 * 24 * 3600
_MAX_SHORT_LIVED = 30


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and the time at which it ends, in seconds since 1970."""

    text: str
    ends_at: float


class Tokens:
    """The tokens of one channel."""

    def __init__(self, *, channel_id: str, channel_secret: str, long_lived: str, clock: Clock, seed: int) -> None:
        """Know a channel.

        Args:
            channel_id: The channel's id.
            channel_secret: The channel's secret.
            long_lived: The token that never ends.
            clock: Tells when the others end.
            seed: Other seeds give other tokens.
        """
        self.channel_id = channel_id
        self.channel_secret = channel_secret
        self._long_lived = long_lived
        self._clock = clock
        self._chance = Chance(seed, "tokens")
        self._issued = 0
        self._stateless: dict[str, float] = {}
        self._short_lived: dict[str, float] = {}

    def accepts(self, token: str) -> bool:
        """Whether a token opens the channel now."""
        if token == self._long_lived:
            return True
        ends_at = self._stateless.get(token) or self._short_lived.get(token)
        return ends_at is not None and self._clock.now() < ends_at

    def are_credentials(self, channel_id: str, channel_secret: str) -> bool:
        """Whether these are the channel's id and secret."""
        return channel_id == self.channel_id and hmac.compare_digest(
            channel_secret.encode(), self.channel_secret.encode()
        )

    def issue_stateless(self) -> IssuedToken:
        """A token for 15 minutes; there can be any number of them."""
        now = self._clock.now()
        self._stateless = {token: ends_at for token, ends_at in self._stateless.items() if ends_at > now}
        token = IssuedToken(self._text("stateless"), now + STATELESS_SECONDS)
        self._stateless[token.text] = token.ends_at
        return token

    def issue_short_lived(self) -> IssuedToken:
        """A token for 30 days; of more than 30 the oldest ends."""
        token = IssuedToken(self._text("short"), self._clock.now() + SHORT_LIVED_SECONDS)
        while len(self._short_lived) >= _MAX_SHORT_LIVED:
            del self._short_lived[next(iter(self._short_lived))]
        self._short_lived[token.text] = token.ends_at
        return token

    def _text(self, kind: str) -> str:
        self._issued += 1
        return f"{kind}-{self._chance.bits(self._issued, 48):096x}"
