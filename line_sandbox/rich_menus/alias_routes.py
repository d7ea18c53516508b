"""Endpoints for rich menu aliases.

Source: LINE Messaging API reference, "Rich menu alias".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenuStore


def add_routes(router: Router, *, rich_menus: RichMenuStore) -> None:
    """Add the routes of this module."""
    routes = _AliasRoutes(rich_menus)
    router.add("POST /v2/bot/richmenu/alias", routes.create)
    router.add("GET /v2/bot/richmenu/alias/list", routes.list_aliases)
    router.add("GET /v2/bot/richmenu/alias/{richMenuAliasId}", routes.get)
    router.add("POST /v2/bot/richmenu/alias/{richMenuAliasId}", routes.update)
    router.add("DELETE /v2/bot/richmenu/alias/{richMenuAliasId}", routes.delete)


class _AliasRoutes:
    def __init__(self, rich_menus: RichMenuStore) -> None:
        self._menus = rich_menus

    def create(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "rich_menus.json#/$defs/alias")
        self._menus.add_alias(body["richMenuAliasId"], body["richMenuId"])
        return HttpResponse({})

    def list_aliases(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"aliases": [_alias(alias, menu_id) for alias, menu_id in self._menus.aliases().items()]})

    def get(self, request: HttpRequest) -> HttpResponse:
        alias = request.path_parameters["richMenuAliasId"]
        return HttpResponse(_alias(alias, self._menus.menu_of_alias(alias)))

    def update(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "rich_menus.json#/$defs/aliasTarget")
        self._menus.change_alias(request.path_parameters["richMenuAliasId"], body["richMenuId"])
        return HttpResponse({})

    def delete(self, request: HttpRequest) -> HttpResponse:
        self._menus.delete_alias(request.path_parameters["richMenuAliasId"])
        return HttpResponse({})


def _alias(alias: str, menu_id: str) -> dict[str, str]:
    return {"richMenuAliasId": alias, "richMenuId": menu_id}
