"""Endpoints of channel access tokens.

Source: LINE Messaging API reference, "Channel access token".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import OAuthErrorResponse
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.tokens.assertions import Assertion, AssertionKeys
    from line_sandbox.tokens.state import ChannelToken, Tokens

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def add_routes(router: Router, *, tokens: Tokens, assertion_keys: AssertionKeys) -> None:
    """Add the routes of this module."""
    routes = _TokenRoutes(tokens, assertion_keys)
    router.add("POST /oauth2/v3/token", routes.issue_stateless, requires_token=False)
    router.add("POST /oauth2/v2.1/token", routes.issue_v21, requires_token=False)
    router.add("GET /oauth2/v2.1/verify", routes.verify_v21, requires_token=False)
    router.add("GET /oauth2/v2.1/tokens/kid", routes.key_ids, requires_token=False)
    router.add("POST /oauth2/v2.1/revoke", routes.revoke_v21, requires_token=False)
    router.add("POST /v2/oauth/accessToken", routes.issue_short_lived, requires_token=False)
    router.add("POST /v2/oauth/verify", routes.verify, requires_token=False)
    router.add("POST /v2/oauth/revoke", routes.revoke, requires_token=False)


class _TokenRoutes:
    def __init__(self, tokens: Tokens, assertion_keys: AssertionKeys) -> None:
        self._tokens = tokens
        self._keys = assertion_keys

    def issue_stateless(self, request: HttpRequest) -> HttpResponse:
        _check_grant_type(request.form)
        if request.form.get("client_assertion"):
            self._verify_assertion(request.form)
        elif not self._has_credentials(request.form):
            raise OAuthErrorResponse("invalid_request", "Invalid 'client_credentials'.")
        return _token_response(self._tokens.issue_stateless())

    def issue_v21(self, request: HttpRequest) -> HttpResponse:
        _check_grant_type(request.form)
        token = self._tokens.issue_v21(self._verify_assertion(request.form).token_seconds)
        return _token_response(token, key_id=token.key_id)

    def verify_v21(self, request: HttpRequest) -> HttpResponse:
        return self._token_info(self._tokens.remaining_v21(request.query_parameter("access_token") or ""))

    def key_ids(self, request: HttpRequest) -> HttpResponse:
        self._verify_assertion({name: values[0] for name, values in request.query.items()})
        return HttpResponse({"kids": self._tokens.key_ids()})

    def revoke_v21(self, request: HttpRequest) -> HttpResponse:
        if not self._has_credentials(request.form):
            raise OAuthErrorResponse("invalid_client", "client_id or client_secret is invalid")
        self._tokens.revoke_v21(_required_token(request.form))
        return HttpResponse(b"")

    def issue_short_lived(self, request: HttpRequest) -> HttpResponse:
        _check_grant_type(request.form)
        if not self._tokens.is_channel_id(request.form.get("client_id", "")):
            raise OAuthErrorResponse("invalid_client", "invalid client_id")
        if not self._tokens.is_channel_secret(request.form.get("client_secret", "")):
            raise OAuthErrorResponse("invalid_client", "invalid client_secret")
        return _token_response(self._tokens.issue_short_lived())

    def verify(self, request: HttpRequest) -> HttpResponse:
        return self._token_info(self._tokens.remaining(_required_token(request.form)))

    def revoke(self, request: HttpRequest) -> HttpResponse:
        self._tokens.revoke(_required_token(request.form))
        return HttpResponse(b"")

    def _has_credentials(self, form: Mapping[str, str]) -> bool:
        is_channel_id = self._tokens.is_channel_id(form.get("client_id", ""))
        return is_channel_id and self._tokens.is_channel_secret(form.get("client_secret", ""))

    def _verify_assertion(self, form: Mapping[str, str]) -> Assertion:
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise OAuthErrorResponse("invalid_request", "Invalid client_assertion_type")
        return self._keys.verify(form.get("client_assertion", ""))

    def _token_info(self, seconds: int) -> HttpResponse:
        return HttpResponse({"client_id": self._tokens.channel_id, "expires_in": seconds, "scope": "P CM"})


def _check_grant_type(form: Mapping[str, str]) -> None:
    if form.get("grant_type") != "client_credentials":
        raise OAuthErrorResponse("unsupported_grant_type", "grant_type must be client_credentials")


def _required_token(form: Mapping[str, str]) -> str:
    token = form.get("access_token")
    if not token:
        raise OAuthErrorResponse("invalid_request")
    return token


def _token_response(token: ChannelToken, **fields: Any) -> HttpResponse:
    return HttpResponse({"access_token": token.text, "token_type": "Bearer", "expires_in": token.seconds, **fields})
