"""JWT assertions, with which clients authenticate instead of the channel secret.

Source: LINE documentation, "Generate JSON Web Tokens".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from line_sandbox.foundation.api_errors import InvalidRequest, NotFound, OAuthErrorResponse

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

AUDIENCE = "https://api.line.me/"
MAX_ASSERTION_SECONDS = 30 * 60
MAX_TOKEN_SECONDS = 30 * 24 * 3600

_ALGORITHM = "RS256"
_CLOCK_TOLERANCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Assertion:
    """The claims of a valid assertion that the token endpoints use."""

    token_seconds: int | None
    """Requested lifetime of the token in seconds; None if the assertion has no `token_exp`."""


class AssertionKeys:
    """The public keys that are registered for a channel."""

    def __init__(self, channel_id: str, clock: Clock) -> None:
        self._channel_id = channel_id
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}

    def register(self, key_id: str, public_key: dict[str, Any]) -> None:
        """Register a key, as LINE's console does.

        Args:
            key_id: The `kid` in the header of assertions.
            public_key: RSA public key as a JSON Web Key.

        Raises:
            InvalidRequest: The key is not an RSA public key.
        """
        try:
            self._keys[key_id] = jwt.PyJWK(public_key, algorithm=_ALGORITHM)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            raise InvalidRequest("not an RSA public key as a JWK") from None

    def verify(self, text: str) -> Assertion:
        """Verify an assertion and return its claims.

        Raises:
            NotFound: The assertion's key is not registered.
            OAuthErrorResponse: The assertion is invalid or expired.
        """
        key = self._key(text)
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                options={"verify_exp": False, "verify_sub": False},
            )
        except jwt.InvalidAudienceError:
            raise _invalid("Invalid aud") from None
        except jwt.PyJWTError:
            raise _invalid("Invalid client_assertion") from None
        if claims.get("iss") != self._channel_id or claims.get("sub") != self._channel_id:
            raise _invalid("iss and clientId of key do not match")
        self._check_expiry(claims.get("exp"))
        token_seconds = claims.get("token_exp")
        if token_seconds is not None and not (
            isinstance(token_seconds, int) and 0 < token_seconds <= MAX_TOKEN_SECONDS
        ):
            raise _invalid("Invalid token_exp")
        return Assertion(token_seconds)

    def _key(self, text: str) -> jwt.PyJWK:
        try:
            header = jwt.get_unverified_header(text)
        except jwt.PyJWTError:
            raise _invalid("Invalid client_assertion") from None
        key = self._keys.get(str(header.get("kid")))
        if key is None:
            raise NotFound("Cannot find channel key that satisfies the conditions")
        return key

    def _check_expiry(self, expires_at: object) -> None:
        # Clients use the real time for `exp`, so an advanced sandbox clock must not matter here.
        now = self._clock.real_now()
        latest = now + MAX_ASSERTION_SECONDS + _CLOCK_TOLERANCE_SECONDS
        if not isinstance(expires_at, (int, float)) or not now < expires_at <= latest:
            raise _invalid("Invalid exp")


def _invalid(description: str) -> OAuthErrorResponse:
    return OAuthErrorResponse("invalid_client", description)
