"""Rich menu aliases.

Source: LINE Messaging API reference, "Rich menu alias".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenus


def add_routes(router: Router, *, rich_menus: RichMenus) -> None:
    """Add the routes of this module."""
    endpoints = _RichMenuAliases(rich_menus=rich_menus)
    router.add("POST /v2/bot/richmenu/alias", endpoints.create)
    router.add("GET /v2/bot/richmenu/alias/list", endpoints.all)
    router.add("GET /v2/bot/richmenu/alias/{richMenuAliasId}", endpoints.get)
    router.add("POST /v2/bot/richmenu/alias/{richMenuAliasId}", endpoints.change)
    router.add("DELETE /v2/bot/richmenu/alias/{richMenuAliasId}", endpoints.delete)


class _RichMenuAliases:
    def __init__(self, *, rich_menus: RichMenus) -> None:
        self._menus = rich_menus

    def create(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/richMenuAlias")
        self._menus.add_alias(body["richMenuAliasId"], body["richMenuId"])
        return HttpResponse({})

    def all(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"aliases": [_alias(alias, menu_id) for alias, menu_id in self._menus.aliases().items()]})

    def get(self, request: HttpRequest) -> HttpResponse:
        alias = request.path_parameters["richMenuAliasId"]
        return HttpResponse(_alias(alias, self._menus.alias(alias)))

    def change(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/richMenuAliasTarget")
        self._menus.change_alias(request.path_parameters["richMenuAliasId"], body["richMenuId"])
        return HttpResponse({})

    def delete(self, request: HttpRequest) -> HttpResponse:
        self._menus.delete_alias(request.path_parameters["richMenuAliasId"])
        return HttpResponse({})


def _alias(alias: str, menu_id: str) -> dict[str, str]:
    return {"richMenuAliasId": alias, "richMenuId": menu_id}
