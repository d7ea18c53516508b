"""Channel access tokens.

Source: LINE Messaging API reference, "Channel access token".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.sandbox.http import Reply, Request
from line_core.sandbox.platform.tokens import SHORT_LIVED_SECONDS, STATELESS_SECONDS

if TYPE_CHECKING:
    from line_core.sandbox.platform.platform import Platform
    from line_core.sandbox.routing import Router


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Tokens(platform)
    router.add("POST /oauth2/v3/token", endpoints.stateless, is_open=True)
    router.add("POST /v2/oauth/accessToken", endpoints.short_lived, is_open=True)


class _Tokens:
    def __init__(self, platform: Platform) -> None:
        self._tokens = platform.tokens

    def stateless(self, request: Request) -> Reply:
        if refusal := self._refusal(request):
            return refusal
        return _bearer(self._tokens.issue_stateless().text, STATELESS_SECONDS)

    def short_lived(self, request: Request) -> Reply:
        if refusal := self._refusal(request):
            return refusal
        return _bearer(self._tokens.issue_short_lived().text, SHORT_LIVED_SECONDS)

    def _refusal(self, request: Request) -> Reply | None:
        if request.form.get("grant_type") != "client_credentials":
            return _error("unsupported_grant_type", "grant_type must be client_credentials")
        if not self._tokens.are_credentials(request.form.get("client_id", ""), request.form.get("client_secret", "")):
            return _error("invalid_client", "client authentication failed")
        return None


def _bearer(token: str, seconds: int) -> Reply:
    # Seconds below the full life, as LINE tells them too.
    return Reply({"token_type": "Bearer", "access_token": token, "expires_in": seconds - 1})


def _error(error: str, description: str) -> Reply:
    return Reply({"error": error, "error_description": description}, status=400)
