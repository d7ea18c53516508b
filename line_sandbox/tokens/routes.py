"""Channel access tokens.

Source: LINE Messaging API reference, "Channel access token".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import TokenRefusal
from line_sandbox.server.http import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router
    from line_sandbox.tokens.assertions import Assertion
    from line_sandbox.tokens.state import IssuedToken

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Tokens(platform)
    router.add("POST /oauth2/v3/token", endpoints.issue_stateless, is_open=True)
    router.add("POST /oauth2/v2.1/token", endpoints.issue_dated, is_open=True)
    router.add("GET /oauth2/v2.1/verify", endpoints.verify_dated, is_open=True)
    router.add("GET /oauth2/v2.1/tokens/kid", endpoints.key_ids, is_open=True)
    router.add("POST /oauth2/v2.1/revoke", endpoints.revoke_dated, is_open=True)
    router.add("POST /v2/oauth/accessToken", endpoints.issue_short_lived, is_open=True)
    router.add("POST /v2/oauth/verify", endpoints.verify, is_open=True)
    router.add("POST /v2/oauth/revoke", endpoints.revoke, is_open=True)


class _Tokens:
    def __init__(self, platform: Platform) -> None:
        self._tokens = platform.tokens
        self._keys = platform.assertion_keys

    def issue_stateless(self, request: Request) -> Reply:
        _check_grant(request.form)
        if request.form.get("client_assertion"):
            self._assertion(request.form)
        elif not self._knows(request.form):
            raise TokenRefusal("invalid_request", "Invalid 'client_credentials'.")
        return _bearer(self._tokens.issue_stateless())

    def issue_dated(self, request: Request) -> Reply:
        _check_grant(request.form)
        token = self._tokens.issue_dated(self._assertion(request.form).token_seconds)
        return _bearer(token, key_id=token.key_id)

    def verify_dated(self, request: Request) -> Reply:
        return self._verified(self._tokens.remaining_dated(request.parameter("access_token") or ""))

    def key_ids(self, request: Request) -> Reply:
        self._assertion({name: values[0] for name, values in request.query.items()})
        return Reply({"kids": self._tokens.key_ids()})

    def revoke_dated(self, request: Request) -> Reply:
        if not self._knows(request.form):
            raise TokenRefusal("invalid_client", "client_id or client_secret is invalid")
        self._tokens.revoke_dated(_token(request.form))
        return Reply(b"")

    def issue_short_lived(self, request: Request) -> Reply:
        _check_grant(request.form)
        if not self._tokens.knows_channel(request.form.get("client_id", "")):
            raise TokenRefusal("invalid_client", "invalid client_id")
        if not self._tokens.knows_secret(request.form.get("client_secret", "")):
            raise TokenRefusal("invalid_client", "invalid client_secret")
        return _bearer(self._tokens.issue_short_lived())

    def verify(self, request: Request) -> Reply:
        return self._verified(self._tokens.remaining(_token(request.form)))

    def revoke(self, request: Request) -> Reply:
        self._tokens.revoke(_token(request.form))
        return Reply(b"")

    def _knows(self, form: Mapping[str, str]) -> bool:
        return self._tokens.knows_channel(form.get("client_id", "")) and self._tokens.knows_secret(
            form.get("client_secret", "")
        )

    def _assertion(self, form: Mapping[str, str]) -> Assertion:
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise TokenRefusal("invalid_request", "Invalid client_assertion_type")
        return self._keys.check(form.get("client_assertion", ""))

    def _verified(self, seconds: int) -> Reply:
        return Reply({"client_id": self._tokens.channel_id, "expires_in": seconds, "scope": "P CM"})


def _check_grant(form: Mapping[str, str]) -> None:
    if form.get("grant_type") != "client_credentials":
        raise TokenRefusal("unsupported_grant_type", "grant_type must be client_credentials")


def _token(form: Mapping[str, str]) -> str:
    token = form.get("access_token")
    if not token:
        raise TokenRefusal("invalid_request")
    return token


def _bearer(token: IssuedToken, **more: Any) -> Reply:
    return Reply({"access_token": token.text, "token_type": "Bearer", "expires_in": token.seconds, **more})
