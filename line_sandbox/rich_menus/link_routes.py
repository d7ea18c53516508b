"""Who is shown which rich menu, one by one, in bulk and in batches.

Source: LINE Messaging API reference, "Per-user rich menu".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.bodies import check_line_ids, read_body
from line_sandbox.http.parameters import line_id_parameter
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenus
    from line_sandbox.users.state import Users

BATCH_SECONDS = 3.0
BATCH_KNOWN_SECONDS = 14 * 24 * 3600

_NOT_FOUND = "richmenu not found"


def add_routes(router: Router, *, clock: Clock, request_ids: SeededRandom, rich_menus: RichMenus, users: Users) -> None:
    """Add the routes of this module."""
    endpoints = _RichMenuLinks(clock=clock, request_ids=request_ids, rich_menus=rich_menus, users=users)
    router.add("GET /v2/bot/user/{userId}/richmenu", endpoints.get)
    router.add("DELETE /v2/bot/user/{userId}/richmenu", endpoints.unlink)
    router.add("POST /v2/bot/user/{userId}/richmenu/{richMenuId}", endpoints.link)
    router.add("POST /v2/bot/richmenu/bulk/link", endpoints.link_many)
    router.add("POST /v2/bot/richmenu/bulk/unlink", endpoints.unlink_many)
    router.add("POST /v2/bot/richmenu/batch", endpoints.batch)
    router.add("POST /v2/bot/richmenu/validate/batch", endpoints.validate_batch)
    router.add("GET /v2/bot/richmenu/progress/batch", endpoints.batch_progress)


class _RichMenuLinks:
    def __init__(self, *, clock: Clock, request_ids: SeededRandom, rich_menus: RichMenus, users: Users) -> None:
        self._clock = clock
        self._request_ids = request_ids

        self._users = users
        self._menus = rich_menus
        self._batches: dict[str, float] = {}

    def get(self, request: HttpRequest) -> HttpResponse:
        number = self._users.number_of(line_id_parameter(request))
        menu_id = None
        if number is not None and self._users.is_following(number):
            menu_id = self._menus.linked(number)
        if menu_id is None:
            raise NotFound("the user has no richmenu")
        return HttpResponse({"richMenuId": menu_id})

    def link(self, request: HttpRequest) -> HttpResponse:
        line_id = line_id_parameter(request)
        menu = self._menus.find_shown(request.path_parameters["richMenuId"])
        self._menus.link(menu.id, self._friends([line_id]))
        return HttpResponse({})

    def unlink(self, request: HttpRequest) -> HttpResponse:
        self._menus.unlink(self._friends([line_id_parameter(request)]))
        return HttpResponse({})

    def link_many(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/richMenuLink")
        check_line_ids(body["userIds"], "'userIds'")
        menu = self._menus.find_shown(body["richMenuId"], _NOT_FOUND)
        self._menus.link(menu.id, self._friends(body["userIds"]))
        return HttpResponse({}, status=202)

    def unlink_many(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/richMenuUnlink")
        check_line_ids(body["userIds"], "'userIds'")
        self._menus.unlink(self._friends(body["userIds"]))
        return HttpResponse({}, status=202)

    def batch(self, request: HttpRequest) -> HttpResponse:
        operations = self._operations(request)
        if operations[0]["type"] == "unlinkAll":
            self._menus.unlink_all()
        else:
            self._menus.relink({operation["from"]: operation.get("to") for operation in operations})
        self._batches[self._request_ids.uuid(request.number)] = self._clock.now()
        return HttpResponse({}, status=202)

    def validate_batch(self, request: HttpRequest) -> HttpResponse:
        self._operations(request)
        return HttpResponse({})

    def batch_progress(self, request: HttpRequest) -> HttpResponse:
        request_id = request.query_parameter("requestId")
        if not request_id:
            raise InvalidRequest.for_parameter("requestId")
        accepted_at = self._batches.get(request_id)
        now = self._clock.now()
        if accepted_at is None or now >= accepted_at + BATCH_KNOWN_SECONDS:
            raise NotFound
        content = {"phase": "ongoing", "acceptedTime": iso_time(accepted_at)}
        if now >= accepted_at + BATCH_SECONDS:
            content |= {"phase": "succeeded", "completedTime": iso_time(accepted_at + BATCH_SECONDS)}
        return HttpResponse(content)

    def _friends(self, line_ids: Sequence[str]) -> list[int]:
        """The numbers of those who follow the account; the others are passed over in silence."""
        users = self._users
        numbers = (users.number_of(line_id) for line_id in line_ids)
        return [number for number in numbers if number is not None and users.is_following(number)]

    def _operations(self, request: HttpRequest) -> list[dict[str, Any]]:
        operations: list[dict[str, Any]] = read_body(request, "requests.json#/$defs/richMenuBatch")["operations"]
        kinds = {operation["type"] for operation in operations}
        if "unlinkAll" in kinds and len(operations) > 1:
            raise _wrong("operations[].type", "'unlinkAll' type can't be combined with other type")
        seen: set[str] = set()
        for place, operation in enumerate(operations):
            for name in ("from", "to"):
                if name in operation and operation["type"] != "unlinkAll":
                    self._check_menu(operation[name], f"operations[{place}].{name}", shown=name == "to")
            before = operation.get("from")
            if before in seen:
                raise _wrong("operations[].from", f"from richmenu ({before}) is duplicated")
            seen.add(str(before))
        return operations

    def _check_menu(self, menu_id: str, name: str, *, shown: bool) -> None:
        problem = Problem(name, f"Richmenu ({menu_id}) is not found")
        try:
            menu = self._menus.find(menu_id)
        except NotFound:
            raise NotFound("The request body has 1 error(s)", [problem]) from None
        if shown and menu.image is None:
            raise _wrong(name, f"'to' richmenu ({menu_id}) must have image but it doesn't")


def _wrong(name: str, words: str) -> InvalidRequest:
    return InvalidRequest.with_details(Problem(name, words))
