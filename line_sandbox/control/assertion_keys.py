"""Control API: registers public keys for JWT assertions, as the owner of a channel does in LINE's console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.sandbox import Sandbox


def add_routes(router: Router, sandbox: Sandbox) -> None:
    """Add the routes of this module."""
    router.add("POST /sandbox/assertion_keys", _AssertionKeyControl(sandbox).register)


class _AssertionKeyControl:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def register(self, request: HttpRequest) -> HttpResponse:
        key: dict[str, Any] = request.json()
        if "d" in key:
            raise InvalidRequest("this is a private key; register the public one")
        key_id = str(key.get("kid") or uuid4())
        self._sandbox.platform.assertion_keys.register(key_id, key)
        return HttpResponse({"kid": key_id})
