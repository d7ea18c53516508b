"""Channel access tokens: long-lived, short-lived, stateless and v2.1.

Source: LINE Messaging API reference, "Channel access token".
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import InvalidRequest, OAuthErrorResponse
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.tokens.assertions import MAX_TOKEN_SECONDS

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

STATELESS_SECONDS = 15 * 60
SHORT_LIVED_SECONDS = 30 * 24 * 3600
MAX_ISSUED = 30

_FOR_EVER_SECONDS = 100 * 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token; times are in seconds since 1970."""

    text: str
    seconds: int
    """How long it lives."""
    ends_at: float
    key_id: str = ""
    """What a v2.1 token is listed by."""


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
        self._channel_secret = channel_secret
        self._long_lived: str | None = long_lived
        self._clock = clock
        self._chance = SeededRandom(seed, "tokens")
        self._issued = 0
        self._stateless: dict[str, IssuedToken] = {}
        self._short_lived: dict[str, IssuedToken] = {}
        self._dated: dict[str, IssuedToken] = {}

    def accepts(self, token: str) -> bool:
        """Whether a token opens the channel now."""
        if token == self._long_lived:
            return True
        issued = self._stateless.get(token) or self._dated.get(token) or self._short_lived.get(token)
        return issued is not None and self._clock.now() < issued.ends_at

    def knows_channel(self, channel_id: str) -> bool:
        """Whether this is the channel's id."""
        return channel_id == self.channel_id

    def knows_secret(self, channel_secret: str) -> bool:
        """Whether this is the channel's secret."""
        return hmac.compare_digest(channel_secret.encode(), self._channel_secret.encode())

    def issue_stateless(self) -> IssuedToken:
        """A token for 15 minutes; there can be any number of them."""
        self._stateless = self._alive(self._stateless)
        return self._issue(self._stateless, STATELESS_SECONDS)

    def issue_short_lived(self) -> IssuedToken:
        """A token for 30 days; of more than 30 the oldest ends."""
        self._short_lived = self._alive(self._short_lived)
        while len(self._short_lived) >= MAX_ISSUED:
            del self._short_lived[next(iter(self._short_lived))]
        return self._issue(self._short_lived, SHORT_LIVED_SECONDS)

    def issue_dated(self, seconds: int | None) -> IssuedToken:
        """A token v2.1.

        Args:
            seconds: How long it is to live; None for the longest, 30 days.

        Raises:
            InvalidRequest: 30 are alive.
        """
        self._dated = self._alive(self._dated)
        if len(self._dated) >= MAX_ISSUED:
            raise InvalidRequest("The maximum number of access tokens has already been issued")
        return self._issue(self._dated, seconds or MAX_TOKEN_SECONDS)

    def key_ids(self) -> list[str]:
        """The key ids of the v2.1 tokens that are alive."""
        return [token.key_id for token in self._alive(self._dated).values()]

    def remaining_dated(self, token: str) -> int:
        """Seconds that a v2.1 or stateless token still lives.

        Raises:
            OAuthErrorResponse: It is none, or has ended.
        """
        issued = self._dated.get(token) or self._stateless.get(token)
        if issued is None:
            raise OAuthErrorResponse("invalid_request", "The access token not JWS")
        if issued.ends_at <= self._clock.now():
            raise OAuthErrorResponse("invalid_request", "The access token expired")
        return int(issued.ends_at - self._clock.now())

    def remaining(self, token: str) -> int:
        """Seconds that a short-lived or the long-lived token still lives.

        Raises:
            OAuthErrorResponse: It is none, or has ended.
        """
        if token == self._long_lived:
            return _FOR_EVER_SECONDS
        issued = self._alive(self._short_lived).get(token)
        if issued is None:
            raise OAuthErrorResponse("invalid_request", "access_token invalid")
        return int(issued.ends_at - self._clock.now())

    def revoke(self, token: str) -> None:
        """End a short-lived or the long-lived token; any other text changes nothing."""
        self._short_lived.pop(token, None)
        if token == self._long_lived:
            self._long_lived = None

    def revoke_dated(self, token: str) -> None:
        """End a v2.1 token; any other text changes nothing."""
        self._dated.pop(token, None)

    def _issue(self, among: dict[str, IssuedToken], seconds: int) -> IssuedToken:
        self._issued += 1
        bits = self._chance.integer(self._issued, 64).to_bytes(64, "big")
        text = base64.urlsafe_b64encode(bits[:48]).decode()
        key_id = base64.urlsafe_b64encode(bits[48:]).decode().rstrip("=")
        among[text] = IssuedToken(text, seconds, self._clock.now() + seconds, key_id)
        return among[text]

    def _alive(self, among: dict[str, IssuedToken]) -> dict[str, IssuedToken]:
        now = self._clock.now()
        return {text: token for text, token in among.items() if token.ends_at > now}
