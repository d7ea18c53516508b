"""Control API: the public keys that JWT assertions are verified with, as a channel's owner registers them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.app import Sandbox


def add_control(router: Router, sandbox: Sandbox) -> None:
    """Add this part of the control API."""
    router.add("POST /sandbox/assertion_keys", _Keys(sandbox).register)


class _Keys:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def register(self, request: HttpRequest) -> HttpResponse:
        key: dict[str, Any] = request.json()
        if "d" in key:
            raise InvalidRequest("this is a private key; register the public one")
        key_id = str(key.get("kid") or uuid4())
        self._sandbox.platform.assertion_keys.register(key_id, key)
        return HttpResponse({"kid": key_id})
