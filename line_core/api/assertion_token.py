"""Channel access tokens v2.1, issued for a signed JWT assertion.

pyjwt and cryptography are the extra `jwt`. They are imported when an assertion key is configured.

Source: LINE guide "Channel access token v2.1"; reference "Issue channel access token v2.1".
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from line_core.api.tokens import IssuedToken
from line_core.errors import SettingError

if TYPE_CHECKING:
    from types import ModuleType

# LINE allows at most 30 valid tokens v2.1 per channel, so each one expires soon after the run that needed it.
_TOKEN_LIFETIME_SECONDS = 30 * 60
_ASSERTION_LIFETIME_SECONDS = 10 * 60
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AssertionToken(IssuedToken):
    """A token v2.1, issued for a JWT signed with the channel's private assertion signing key."""

    setting = "assertion_key"
    path = "/oauth2/v2.1/token"

    def __init__(self, api_url: str, channel_id: str, assertion_key: str, *, trust_env: bool = False) -> None:
        """Read the key; the first token is issued when it is needed.

        Args:
            api_url: Base URL of the Messaging API.
            channel_id: The channel's id.
            assertion_key: The private key as a JWK (JSON text), with the `kid` from the LINE Developers Console.
            trust_env: Whether to use the proxy that the environment names.

        Raises:
            SettingError: The key is not a private RSA key with a `kid`, or the extra `jwt` is not installed.
        """
        super().__init__(api_url, channel_id, trust_env=trust_env)
        self._jwt = _import_jwt()
        self._key_id, self._key = _read_key(self._jwt, assertion_key)

    def form(self) -> dict[str, str | int]:
        claims = {
            "iss": self._channel_id,
            "sub": self._channel_id,
            "aud": "https://api.line.me/",
            "exp": int(time.time()) + _ASSERTION_LIFETIME_SECONDS,
            "token_exp": _TOKEN_LIFETIME_SECONDS,
        }
        assertion = self._jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": assertion,
        }


def _import_jwt() -> ModuleType:
    try:
        import cryptography  # noqa: F401, PLC0415 - an optional dependency; pyjwt needs it for RSA keys
        import jwt  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise SettingError(
            "an assertion key needs the extra jwt: pip install 'singer-line[jwt]'", setting="assertion_key"
        ) from None
    return jwt


def _read_key(jwt: ModuleType, assertion_key: str) -> tuple[str, Any]:
    """Return the key's id and the key."""
    try:
        jwk = json.loads(assertion_key)
        key_id, key = jwk["kid"], jwt.PyJWK(jwk, algorithm="RS256").key
        is_private = "d" in jwk
    except (ValueError, TypeError, KeyError, jwt.PyJWTError):
        # The text of the cause may repeat the key.
        key_id, key, is_private = None, None, False
    if not is_private or not isinstance(key_id, str):
        raise SettingError("not a private RSA key as a JWK (JSON text) with a kid", setting="assertion_key")
    return key_id, key
