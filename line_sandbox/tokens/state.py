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
MAX_VALID_TOKENS = 30
"""Maximum number of valid short-lived tokens, and of valid v2.1 tokens."""

_LONG_LIVED_SECONDS = 100 * 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class ChannelToken:
    """A channel access token with an expiry time."""

    text: str
    seconds: int
    """Lifetime in seconds."""
    expires_at: float
    """Seconds since 1970."""
    key_id: str = ""
    """The id under which LINE lists a v2.1 token."""


class Tokens:
    """Issues, verifies and revokes the access tokens of one channel."""

    def __init__(self, *, channel_id: str, channel_secret: str, long_lived: str, clock: Clock, seed: int) -> None:
        """Store the credentials of the channel.

        Args:
            channel_id: Id of the channel.
            channel_secret: Secret of the channel.
            long_lived: The long-lived token, which does not expire.
            clock: Clock for the expiry of the other tokens.
            seed: Seed of the issued tokens.
        """
        self.channel_id = channel_id
        self._channel_secret = channel_secret
        self._long_lived: str | None = long_lived
        self._clock = clock
        self._random = SeededRandom(seed, "tokens")
        self._issued = 0
        self._stateless: dict[str, ChannelToken] = {}
        self._short_lived: dict[str, ChannelToken] = {}
        self._v21: dict[str, ChannelToken] = {}

    def accepts(self, token: str) -> bool:
        """Return whether a token is valid now."""
        if token == self._long_lived:
            return True
        issued = self._stateless.get(token) or self._v21.get(token) or self._short_lived.get(token)
        return issued is not None and self._clock.now() < issued.expires_at

    def is_channel_id(self, channel_id: str) -> bool:
        return channel_id == self.channel_id

    def is_channel_secret(self, channel_secret: str) -> bool:
        return hmac.compare_digest(channel_secret.encode(), self._channel_secret.encode())

    def issue_stateless(self) -> ChannelToken:
        """Issue a token for 15 minutes. Their number is not limited."""
        self._stateless = self._valid(self._stateless)
        return self._issue(self._stateless, STATELESS_SECONDS)

    def issue_short_lived(self) -> ChannelToken:
        """Issue a token for 30 days. If 30 are valid, the oldest one is revoked."""
        self._short_lived = self._valid(self._short_lived)
        while len(self._short_lived) >= MAX_VALID_TOKENS:
            del self._short_lived[next(iter(self._short_lived))]
        return self._issue(self._short_lived, SHORT_LIVED_SECONDS)

    def issue_v21(self, seconds: int | None) -> ChannelToken:
        """Issue a v2.1 token.

        Args:
            seconds: Lifetime in seconds; None for the maximum, 30 days.

        Raises:
            InvalidRequest: 30 tokens are valid.
        """
        self._v21 = self._valid(self._v21)
        if len(self._v21) >= MAX_VALID_TOKENS:
            raise InvalidRequest("The maximum number of access tokens has already been issued")
        return self._issue(self._v21, seconds or MAX_TOKEN_SECONDS)

    def key_ids(self) -> list[str]:
        """Return the key ids of the valid v2.1 tokens."""
        return [token.key_id for token in self._valid(self._v21).values()]

    def remaining_v21(self, token: str) -> int:
        """Return the remaining lifetime of a v2.1 or stateless token in seconds.

        Raises:
            OAuthErrorResponse: The token is unknown or expired.
        """
        issued = self._v21.get(token) or self._stateless.get(token)
        if issued is None:
            raise OAuthErrorResponse("invalid_request", "The access token not JWS")
        if issued.expires_at <= self._clock.now():
            raise OAuthErrorResponse("invalid_request", "The access token expired")
        return int(issued.expires_at - self._clock.now())

    def remaining(self, token: str) -> int:
        """Return the remaining lifetime of a short-lived or the long-lived token in seconds.

        Raises:
            OAuthErrorResponse: The token is unknown or expired.
        """
        if token == self._long_lived:
            return _LONG_LIVED_SECONDS
        issued = self._valid(self._short_lived).get(token)
        if issued is None:
            raise OAuthErrorResponse("invalid_request", "access_token invalid")
        return int(issued.expires_at - self._clock.now())

    def revoke(self, token: str) -> None:
        """Revoke a short-lived or the long-lived token; an unknown token has no effect."""
        self._short_lived.pop(token, None)
        if token == self._long_lived:
            self._long_lived = None

    def revoke_v21(self, token: str) -> None:
        """Revoke a v2.1 token; an unknown token has no effect."""
        self._v21.pop(token, None)

    def _issue(self, tokens: dict[str, ChannelToken], seconds: int) -> ChannelToken:
        self._issued += 1
        random_bytes = self._random.integer(self._issued, 64).to_bytes(64, "big")
        text = base64.urlsafe_b64encode(random_bytes[:48]).decode()
        key_id = base64.urlsafe_b64encode(random_bytes[48:]).decode().rstrip("=")
        tokens[text] = ChannelToken(text, seconds, self._clock.now() + seconds, key_id)
        return tokens[text]

    def _valid(self, tokens: dict[str, ChannelToken]) -> dict[str, ChannelToken]:
        now = self._clock.now()
        return {text: token for text, token in tokens.items() if token.expires_at > now}
