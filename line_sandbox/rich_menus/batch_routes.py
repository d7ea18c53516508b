"""Endpoints that replace or unlink the rich menus of all users in batches.

Source: LINE Messaging API reference, "Replace or unlink the linked rich menus in batches".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenuStore

BATCH_SECONDS = 3.0
RETENTION_SECONDS = 14 * 24 * 3600


def add_routes(router: Router, *, rich_menus: RichMenuStore, request_ids: SeededRandom, clock: Clock) -> None:
    """Add the routes of this module."""
    routes = _BatchRoutes(rich_menus, request_ids, clock)
    router.add("POST /v2/bot/richmenu/batch", routes.start)
    router.add("POST /v2/bot/richmenu/validate/batch", routes.validate)
    router.add("GET /v2/bot/richmenu/progress/batch", routes.progress)


class _BatchRoutes:
    def __init__(self, rich_menus: RichMenuStore, request_ids: SeededRandom, clock: Clock) -> None:
        self._menus = rich_menus
        self._request_ids = request_ids
        self._clock = clock
        self._accepted_at: dict[str, float] = {}
        """Start of each batch, in seconds since 1970, by request id."""

    def start(self, request: HttpRequest) -> HttpResponse:
        operations = self._operations(request)
        if operations[0]["type"] == "unlinkAll":
            self._menus.unlink_all()
        else:
            self._menus.relink({operation["from"]: operation.get("to") for operation in operations})
        self._accepted_at[self._request_ids.uuid(request.number)] = self._clock.now()
        return HttpResponse({}, status=202)

    def validate(self, request: HttpRequest) -> HttpResponse:
        self._operations(request)
        return HttpResponse({})

    def progress(self, request: HttpRequest) -> HttpResponse:
        request_id = request.query_parameter("requestId")
        if not request_id:
            raise InvalidRequest.for_parameter("requestId")
        accepted_at = self._accepted_at.get(request_id)
        now = self._clock.now()
        if accepted_at is None or now >= accepted_at + RETENTION_SECONDS:
            raise NotFound
        content = {"phase": "ongoing", "acceptedTime": iso_time(accepted_at)}
        if now >= accepted_at + BATCH_SECONDS:
            content |= {"phase": "succeeded", "completedTime": iso_time(accepted_at + BATCH_SECONDS)}
        return HttpResponse(content)

    def _operations(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the valid operations in a request's body."""
        operations: list[dict[str, Any]] = read_body(request, "rich_menus.json#/$defs/batch")["operations"]
        types = {operation["type"] for operation in operations}
        if "unlinkAll" in types and len(operations) > 1:
            raise _invalid("operations[].type", "'unlinkAll' type can't be combined with other type")
        seen: set[str] = set()
        for index, operation in enumerate(operations):
            for name in ("from", "to"):
                if name in operation and operation["type"] != "unlinkAll":
                    self._check_menu(operation[name], f"operations[{index}].{name}", needs_image=name == "to")
            replaced = operation.get("from")
            if replaced in seen:
                raise _invalid("operations[].from", f"from richmenu ({replaced}) is duplicated")
            seen.add(str(replaced))
        return operations

    def _check_menu(self, menu_id: str, name: str, *, needs_image: bool) -> None:
        problem = Problem(name, f"Richmenu ({menu_id}) is not found")
        try:
            menu = self._menus.find(menu_id)
        except NotFound:
            raise NotFound("The request body has 1 error(s)", [problem]) from None
        if needs_image and menu.image is None:
            raise _invalid(name, f"'to' richmenu ({menu_id}) must have image but it doesn't")


def _invalid(name: str, message: str) -> InvalidRequest:
    return InvalidRequest.with_details(Problem(name, message))
