"""Control API: health, reset, clock, users and chats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from line_core.ids import is_line_id
from line_sandbox.chats.state import ChatKind
from line_sandbox.control.parameters import offset_and_limit, read_struct
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.response import HttpResponse
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.sandbox import Sandbox


class _ClockChange(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: Annotated[float, msgspec.Meta(ge=0, le=100 * 366 * 24 * 3600)]


class _UserChange(msgspec.Struct, forbid_unknown_fields=True):
    state: UserState


def add_routes(router: Router, sandbox: Sandbox) -> None:
    """Add the routes of this module."""
    control = _StateControl(sandbox)
    router.add("GET /sandbox/health", control.health)
    router.add("POST /sandbox/reset", control.reset)
    router.add("POST /sandbox/clock", control.clock)
    router.add("GET /sandbox/users", control.users)
    router.add("POST /sandbox/users/{line_id}", control.set_user)
    router.add("GET /sandbox/chats", control.chats)


class _StateControl:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def health(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"status": "ok"})

    def reset(self, _: HttpRequest) -> HttpResponse:
        self._sandbox.reset()
        return HttpResponse({})

    def clock(self, request: HttpRequest) -> HttpResponse:
        clock = self._sandbox.platform.clock
        clock.advance(read_struct(request, _ClockChange).advance_seconds)
        return HttpResponse({"now": iso_time(clock.now())})

    def users(self, request: HttpRequest) -> HttpResponse:
        offset, limit = offset_and_limit(request, 1000)
        state = request.query_parameter("state") or UserState.FOLLOWING
        if state not in UserState.__members__.values():
            raise InvalidRequest(f"state must be one of {', '.join(UserState)}")
        users = self._sandbox.platform.users
        numbers = users.in_state(UserState(state))
        line_ids = [users.line_id(number) for number in numbers[offset : offset + limit]]
        return HttpResponse({"line_ids": line_ids, "total": len(numbers)})

    def set_user(self, request: HttpRequest) -> HttpResponse:
        line_id = request.path_parameters["line_id"]
        if not is_line_id(line_id):
            raise InvalidRequest(f"not a LINE ID: {line_id}")
        state = read_struct(request, _UserChange).state
        self._sandbox.platform.follower_history.set_state(line_id, state)
        return HttpResponse({"line_id": line_id, "state": state})

    def chats(self, _: HttpRequest) -> HttpResponse:
        chats = self._sandbox.platform.chats
        return HttpResponse({f"{kind}_ids": chats.all(kind) for kind in ChatKind})
