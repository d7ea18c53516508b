"""Who is shown which rich menu, one by one, in bulk and in batches.

Source: LINE Messaging API reference, "Per-user rich menu".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.account.routes import line_id_parameter
from line_sandbox.foundation.api_errors import InvalidRequest, NotFound
from line_sandbox.foundation.clock import iso_time
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import check_line_ids, read_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

BATCH_SECONDS = 3.0
BATCH_KNOWN_SECONDS = 14 * 24 * 3600

_NOT_FOUND = "richmenu not found"


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _RichMenuLinks(platform)
    router.add("GET /v2/bot/user/{userId}/richmenu", endpoints.get)
    router.add("DELETE /v2/bot/user/{userId}/richmenu", endpoints.unlink)
    router.add("POST /v2/bot/user/{userId}/richmenu/{richMenuId}", endpoints.link)
    router.add("POST /v2/bot/richmenu/bulk/link", endpoints.link_many)
    router.add("POST /v2/bot/richmenu/bulk/unlink", endpoints.unlink_many)
    router.add("POST /v2/bot/richmenu/batch", endpoints.batch)
    router.add("POST /v2/bot/richmenu/validate/batch", endpoints.validate_batch)
    router.add("GET /v2/bot/richmenu/progress/batch", endpoints.batch_progress)


class _RichMenuLinks:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._menus = platform.rich_menus
        self._batches: dict[str, float] = {}

    def get(self, request: Request) -> Reply:
        number = self._platform.users.number_of(line_id_parameter(request))
        menu_id = None
        if number is not None and self._platform.users.is_following(number):
            menu_id = self._menus.linked(number)
        if menu_id is None:
            raise NotFound("the user has no richmenu")
        return Reply({"richMenuId": menu_id})

    def link(self, request: Request) -> Reply:
        line_id = line_id_parameter(request)
        menu = self._menus.find_shown(request.path_parameters["richMenuId"])
        self._menus.link(menu.id, self._friends([line_id]))
        return Reply({})

    def unlink(self, request: Request) -> Reply:
        self._menus.unlink(self._friends([line_id_parameter(request)]))
        return Reply({})

    def link_many(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/richMenuLink")
        check_line_ids(body["userIds"], "'userIds'")
        menu = self._menus.find_shown(body["richMenuId"], _NOT_FOUND)
        self._menus.link(menu.id, self._friends(body["userIds"]))
        return Reply({}, status=202)

    def unlink_many(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/richMenuUnlink")
        check_line_ids(body["userIds"], "'userIds'")
        self._menus.unlink(self._friends(body["userIds"]))
        return Reply({}, status=202)

    def batch(self, request: Request) -> Reply:
        operations = self._operations(request)
        if operations[0]["type"] == "unlinkAll":
            self._menus.unlink_all()
        else:
            self._menus.relink({operation["from"]: operation.get("to") for operation in operations})
        self._batches[self._platform.request_id(request.number)] = self._platform.clock.now()
        return Reply({}, status=202)

    def validate_batch(self, request: Request) -> Reply:
        self._operations(request)
        return Reply({})

    def batch_progress(self, request: Request) -> Reply:
        request_id = request.parameter("requestId")
        if not request_id:
            raise InvalidRequest.parameter("requestId")
        accepted_at = self._batches.get(request_id)
        now = self._platform.clock.now()
        if accepted_at is None or now >= accepted_at + BATCH_KNOWN_SECONDS:
            raise NotFound
        content = {"phase": "ongoing", "acceptedTime": iso_time(accepted_at)}
        if now >= accepted_at + BATCH_SECONDS:
            content |= {"phase": "succeeded", "completedTime": iso_time(accepted_at + BATCH_SECONDS)}
        return Reply(content)

    def _friends(self, line_ids: Sequence[str]) -> list[int]:
        """The numbers of those who follow the account; the others are passed over in silence."""
        users = self._platform.users
        numbers = (users.number_of(line_id) for line_id in line_ids)
        return [number for number in numbers if number is not None and users.is_following(number)]

    def _operations(self, request: Request) -> list[dict[str, Any]]:
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
    return InvalidRequest.because(Problem(name, words))
