"""Endpoints that link rich menus to users, one by one or in bulk.

Source: LINE Messaging API reference, "Per-user rich menu".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import NotFound
from line_sandbox.http.bodies import check_line_ids, read_body
from line_sandbox.http.parameters import line_id_parameter
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenuStore
    from line_sandbox.users.state import Users


def add_routes(router: Router, *, rich_menus: RichMenuStore, users: Users) -> None:
    """Add the routes of this module."""
    routes = _LinkRoutes(rich_menus, users)
    router.add("GET /v2/bot/user/{userId}/richmenu", routes.get)
    router.add("DELETE /v2/bot/user/{userId}/richmenu", routes.unlink)
    router.add("POST /v2/bot/user/{userId}/richmenu/{richMenuId}", routes.link)
    router.add("POST /v2/bot/richmenu/bulk/link", routes.link_in_bulk)
    router.add("POST /v2/bot/richmenu/bulk/unlink", routes.unlink_in_bulk)


class _LinkRoutes:
    def __init__(self, rich_menus: RichMenuStore, users: Users) -> None:
        self._menus = rich_menus
        self._users = users

    def get(self, request: HttpRequest) -> HttpResponse:
        number = self._users.number_of(line_id_parameter(request))
        menu_id = None
        if number is not None and self._users.is_following(number):
            menu_id = self._menus.linked_menu(number)
        if menu_id is None:
            raise NotFound("the user has no richmenu", [])
        return HttpResponse({"richMenuId": menu_id})

    def link(self, request: HttpRequest) -> HttpResponse:
        line_id = line_id_parameter(request)
        menu = self._menus.find_with_image(request.path_parameters["richMenuId"])
        self._menus.link(menu.id, self._followers_among([line_id]))
        return HttpResponse({})

    def unlink(self, request: HttpRequest) -> HttpResponse:
        self._menus.unlink(self._followers_among([line_id_parameter(request)]))
        return HttpResponse({})

    def link_in_bulk(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "rich_menus.json#/$defs/bulkLink")
        check_line_ids(body["userIds"], "userIds", quote="'")
        menu = self._menus.find_with_image(body["richMenuId"], NotFound("richmenu not found", []))
        self._menus.link(menu.id, self._followers_among(body["userIds"]))
        return HttpResponse({}, status=202)

    def unlink_in_bulk(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "rich_menus.json#/$defs/bulkUnlink")
        check_line_ids(body["userIds"], "userIds", quote="'")
        self._menus.unlink(self._followers_among(body["userIds"]))
        return HttpResponse({}, status=202)

    def _followers_among(self, line_ids: Sequence[str]) -> list[int]:
        """Return the numbers of the users who follow the account; LINE ignores other IDs."""
        numbers = (self._users.number_of(line_id) for line_id in line_ids)
        return [number for number in numbers if number is not None and self._users.is_following(number)]
