"""Channel access tokens: configured, or issued for the channel's credentials and renewed before they expire.

Source: LINE guide "Channel access token"; reference "Issue stateless channel access token".
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

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
from line_core.api.retry import RetryPolicy, call_with_retries

_TIMEOUT_SECONDS = 30
_RETRY_POLICY = RetryPolicy(attempts=4)
_RENEW_BEFORE_SECONDS = 60

_logger = logging.getLogger("line.tokens")


class TokenSource(Protocol):
    """Provides the channel access token of each request. Safe to share between threads."""

    setting: str
    """Name of the setting that the token comes from, for errors."""

    def cached(self) -> str | None:
        """Return a token that is valid for long enough, if there is one. Does not block."""

    def token(self) -> str:
        """Return a token that is valid for long enough. May request one from LINE.

        Raises:
            ApiError: LINE issues no token.
        """

    def discard(self, token: str) -> bool:
        """Discard a token that LINE refused; return whether `token` may return another one."""


class StaticToken:
    """A long-lived token from the LINE Developers Console."""

    setting = "channel_access_token"

    def __init__(self, token: str) -> None:
        self._token = token

    def cached(self) -> str:
        return self._token

    def token(self) -> str:
        return self._token

    def discard(self, token: str) -> bool:  # noqa: ARG002 - the interface's signature
        return False


@dataclass(frozen=True, slots=True)
class _Issued:
    token: str
    renew_at: float
    """By the monotonic clock, in seconds."""


class IssuedToken(ABC):
    """A token that LINE issues for the channel's credentials. It is renewed one minute before it expires."""

    setting: str
    path: ClassVar[str]

    def __init__(self, api_url: str, channel_id: str, *, trust_env: bool = False) -> None:
        """Store the options; the first token is issued when it is needed.

        Args:
            api_url: Base URL of the Messaging API.
            channel_id: The channel's id.
            trust_env: Whether to use the proxy that the environment names.
        """
        self._url = api_url.rstrip("/") + self.path
        self._channel_id = channel_id
        self._trust_env = trust_env
        self._lock = threading.Lock()
        self._issued: _Issued | None = None

    @abstractmethod
    def form(self) -> dict[str, str | int]:
        """Return the form of the request for a token."""

    def cached(self) -> str | None:
        issued = self._issued
        return issued.token if issued and time.monotonic() < issued.renew_at else None

    def token(self) -> str:
        with self._lock:
            token = self.cached()
            if token is None:
                self._issued = self._issue()
                token = self._issued.token
            return token

    def discard(self, token: str) -> bool:
        with self._lock:
            if self._issued and self._issued.token == token:
                self._issued = None
        return True

    def _issue(self) -> _Issued:
        requested_at = time.monotonic()
        body = call_with_retries(self._post, policy=_RETRY_POLICY).json_object()
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not isinstance(lifetime, int):
            raise MalformedResponseError(f"POST {self.path}", reason="no access_token with expires_in")
        _logger.info("LINE issued a channel access token for %s seconds", lifetime)
        return _Issued(token, requested_at + max(lifetime - _RENEW_BEFORE_SECONDS, lifetime / 2))

    def _post(self) -> Response:
        endpoint = f"POST {self.path}"
        try:
            with requests.Session() as session:
                session.trust_env = self._trust_env
                answer = session.post(self._url, data=self.form(), timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        except requests.RequestException as failure:
            raise UnreachableError(endpoint, reason=failure_reason(failure), may_have_arrived=True) from None
        response = Response(endpoint, answer.status_code, answer.headers, answer.content)
        error = error_from_response(response, credentials_setting=self.setting)
        if isinstance(error, InvalidRequestError | NotEntitledError | NotFoundError):
            raise AuthenticationError.from_response(response, setting=self.setting)
        if error:
            raise error
        return response


class StatelessToken(IssuedToken):
    """A token of 15 minutes, issued for the channel's id and secret. LINE does not limit their number."""

    setting = "channel_secret"
    path = "/oauth2/v3/token"

    def __init__(self, api_url: str, channel_id: str, channel_secret: str, *, trust_env: bool = False) -> None:
        super().__init__(api_url, channel_id, trust_env=trust_env)
        self._channel_secret = channel_secret

    def form(self) -> dict[str, str | int]:
        return {
            "grant_type": "client_credentials",
            "client_id": self._channel_id,
            "client_secret": self._channel_secret,
        }
