"""Channel access tokens: given, or issued from the channel's credentials and renewed before their end.

Source: LINE guide "Channel access token"; reference "Issue stateless channel access token", "Issue channel access token
v2.1".
"""

from __future__ import annotations

import json
import logging
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import jwt
import requests

from line_core.api.errors import (
    AuthenticationError,
    InvalidRequestError,
    MalformedResponseError,
    NotEntitledError,
    NotFoundError,
    UnreachableError,
    error_from_response,
    failure_reason,
)
from line_core.api.response import Response
from line_core.api.retry import call_with_retries
from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_SECONDS = 30
_ATTEMPTS = 4
_RENEW_BEFORE_SECONDS = 60
# LINE keeps at most 30 living v2.1 tokens of a channel, so each must die soon after the run that needed it.
_V21_LIFE_SECONDS = 30 * 60
_ASSERTION_LIFE_SECONDS = 10 * 60
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_logger = logging.getLogger("line.tokens")


class TokenSource(Protocol):
    """Where the token of the next request comes from. Safe to share between threads."""

    setting: str
    """The setting to name when LINE does not accept the token."""

    def cached(self) -> str | None:
        """The token if one is at hand that lives long enough; never waits."""

    def token(self) -> str:
        """A token that lives long enough; may ask LINE for it.

        Raises:
            ApiError: LINE does not issue one.
        """

    def discard(self, token: str) -> bool:
        """Forget a token that LINE refused; tells whether asking again can bring another."""


class StaticToken:
    """A long-lived token from the console."""

    setting = "channel_access_token"

    def __init__(self, token: str) -> None:
        """Keep the token."""
        self._token = token

    def cached(self) -> str:
        """The token."""
        return self._token

    def token(self) -> str:
        """The token."""
        return self._token

    def discard(self, token: str) -> bool:  # noqa: ARG002 - the interface's signature
        """There is no other."""
        return False


@dataclass(frozen=True, slots=True)
class _Issued:
    token: str
    renew_at: float


class IssuedToken(ABC):
    """A token that LINE issues from the channel's credentials, renewed a minute before its end."""

    setting: str
    path: ClassVar[str]

    def __init__(self, api_url: str, channel_id: str, *, trust_env: bool = False) -> None:
        """Prepare; the first token is issued when it is needed.

        Args:
            api_url: Base URL of the Messaging API.
            channel_id: The channel's id.
            trust_env: Go through the proxy that the environment names.
        """
        self._url = api_url.rstrip("/") + self.path
        self._channel_id = channel_id
        self._trust_env = trust_env
        self._lock = threading.Lock()
        self._issued: _Issued | None = None

    @abstractmethod
    def form(self) -> dict[str, str | int]:
        """The form that proves who asks."""

    def cached(self) -> str | None:
        """The token, unless its end is near."""
        issued = self._issued
        return issued.token if issued and time.monotonic() < issued.renew_at else None

    def token(self) -> str:
        """The token, issued if there is none or its end is near.

        Raises:
            ApiError: LINE does not issue one.
        """
        with self._lock:
            token = self.cached()
            if token is None:
                self._issued = self._issue()
                token = self._issued.token
            return token

    def discard(self, token: str) -> bool:
        """Forget the token, unless another took its place already."""
        with self._lock:
            if self._issued and self._issued.token == token:
                self._issued = None
        return True

    def _issue(self) -> _Issued:
        asked_at = time.monotonic()
        answer = call_with_retries(self._post, attempts=_ATTEMPTS).json_object()
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(life, int):
            raise MalformedResponseError(f"POST {self.path}", reason="no access_token with expires_in")
        _logger.info("LINE issued a channel access token for %s seconds", life)
        return _Issued(token, asked_at + max(life - _RENEW_BEFORE_SECONDS, life / 2))

    def _post(self) -> Response:
        endpoint = f"POST {self.path}"
        try:
            with requests.Session() as session:
                session.trust_env = self._trust_env
                response = session.post(self._url, data=self.form(), timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException as failure:
            raise UnreachableError(endpoint, reason=failure_reason(failure), may_have_arrived=True) from None
        reply = Response(endpoint, response.status_code, response.headers, response.content)
        error = error_from_response(reply, credentials_setting=self.setting)
        if isinstance(error, InvalidRequestError | NotEntitledError | NotFoundError):
            raise AuthenticationError.from_response(reply, setting=self.setting)
        if error:
            raise error
        return reply


class StatelessToken(IssuedToken):
    """A token of 15 minutes from the channel's id and secret; as many as needed may live."""

    setting = "channel_secret"
    path = "/oauth2/v3/token"

    def __init__(self, api_url: str, channel_id: str, channel_secret: str, *, trust_env: bool = False) -> None:
        """Prepare; see `IssuedToken`."""
        super().__init__(api_url, channel_id, trust_env=trust_env)
        self._channel_secret = channel_secret

    def form(self) -> dict[str, str | int]:
        """Client credentials."""
        return {
            "grant_type": "client_credentials",
            "client_id": self._channel_id,
            "client_secret": self._channel_secret,
        }


class AssertionToken(IssuedToken):
    """A token v2.1 from a JWT that the channel's private assertion signing key signs."""

    setting = "assertion_key"
    path = "/oauth2/v2.1/token"

    def __init__(self, api_url: str, channel_id: str, assertion_key: str, *, trust_env: bool = False) -> None:
        """Prepare; see `IssuedToken`.

        Args:
            api_url: Base URL of the Messaging API.
            channel_id: The channel's id.
            assertion_key: The private key as a JWK (JSON text), with the `kid` that the console shows.
            trust_env: Go through the proxy that the environment names.

        Raises:
            SettingError: The key is not a private RSA key with a `kid`.
        """
        super().__init__(api_url, channel_id, trust_env=trust_env)
        self._key_id, self._key = _read_key(assertion_key)

    def form(self) -> dict[str, str | int]:
        """Client credentials, proved by a fresh assertion."""
        claims = {
            "iss": self._channel_id,
            "sub": self._channel_id,
            "aud": "https://api.line.me/",
            "exp": int(time.time()) + _ASSERTION_LIFE_SECONDS,
            "token_exp": _V21_LIFE_SECONDS,
        }
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id}),
        }


def token_source_from_config(config: Mapping[str, Any]) -> TokenSource:
    """The token source that a tap's or target's settings ask for: a given token goes before issued ones.

    Raises:
        SettingError: The settings hold no complete set of credentials, or an unusable key.
    """
    token, channel_id = config.get("channel_access_token"), config.get("channel_id")
    secret, key = config.get("channel_secret"), config.get("assertion_key")
    if token:
        return StaticToken(_header_safe(token))
    if not (secret or key):
        raise SettingError(
            "no credentials: give channel_access_token, or channel_id with channel_secret or with assertion_key",
            setting="channel_access_token",
        )
    if not channel_id:
        raise SettingError("issuing tokens needs the channel's id", setting="channel_id")
    trust_env = bool(config.get("use_proxy_from_environment"))
    if key:
        return AssertionToken(config["api_url"], channel_id, key, trust_env=trust_env)
    return StatelessToken(config["api_url"], channel_id, secret or "", trust_env=trust_env)


def _header_safe(token: str) -> str:
    # An HTTP library would refuse it too, in an error that repeats the token.
    stripped = token.strip()
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise SettingError("the token holds characters that no token has", setting="channel_access_token")
    return stripped


def _read_key(assertion_key: str) -> tuple[str, Any]:
    try:
        parts = json.loads(assertion_key)
        key_id, key = parts["kid"], jwt.PyJWK(parts, algorithm="RS256").key
        private = "d" in parts
    except (ValueError, TypeError, KeyError, jwt.PyJWTError):
        # The cause's text may repeat the key.
        key_id, key, private = None, None, False
    if not private or not isinstance(key_id, str):
        raise SettingError("not a private RSA key as a JWK (JSON text) with a kid", setting="assertion_key")
    return key_id, key
