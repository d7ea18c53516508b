"""Creates the token source from the settings of a tap or target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.api.assertion_token import AssertionToken
from line_core.api.tokens import StatelessToken, StaticToken
from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from line_core.api.tokens import TokenSource


def token_source_from_config(config: Mapping[str, Any]) -> TokenSource:
    """Return the token source for the configured credentials.

    `channel_access_token` takes precedence over `assertion_key`, and that over `channel_secret`.

    Raises:
        SettingError: The credentials are missing, incomplete or invalid.
    """
    token, channel_id = config.get("channel_access_token"), config.get("channel_id")
    secret, key = config.get("channel_secret"), config.get("assertion_key")
    if token:
        return StaticToken(_checked(token))
    if not (secret or key):
        raise SettingError(
            "no credentials: set channel_access_token, or channel_id with channel_secret or assertion_key",
            setting="channel_access_token",
        )
    if not channel_id:
        raise SettingError("issuing tokens needs the channel's id", setting="channel_id")
    trust_env = bool(config.get("use_proxy_from_environment"))
    if key:
        return AssertionToken(config["api_url"], channel_id, key, trust_env=trust_env)
    return StatelessToken(config["api_url"], channel_id, secret or "", trust_env=trust_env)


def _checked(token: str) -> str:
    """Return the token without surrounding whitespace; an HTTP library would refuse other characters in its header."""
    stripped = token.strip()
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        # The HTTP library's error would repeat the token.
        raise SettingError("the token has characters that are not allowed in a token", setting="channel_access_token")
    return stripped
