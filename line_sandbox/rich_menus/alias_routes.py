"""Rich menu aliases.

Source: LINE Messaging API reference, "Rich menu alias".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import read_body

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _RichMenuAliases(platform)
    router.add("POST /v2/bot/richmenu/alias", endpoints.create)
    router.add("GET /v2/bot/richmenu/alias/list", endpoints.all)
    router.add("GET /v2/bot/richmenu/alias/{richMenuAliasId}", endpoints.get)
    router.add("POST /v2/bot/richmenu/alias/{richMenuAliasId}", endpoints.change)
    router.add("DELETE /v2/bot/richmenu/alias/{richMenuAliasId}", endpoints.delete)


class _RichMenuAliases:
    def __init__(self, platform: Platform) -> None:
        self._menus = platform.rich_menus

    def create(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/richMenuAlias")
        self._menus.add_alias(body["richMenuAliasId"], body["richMenuId"])
        return Reply({})

    def all(self, _: Request) -> Reply:
        return Reply({"aliases": [_alias(alias, menu_id) for alias, menu_id in self._menus.aliases().items()]})

    def get(self, request: Request) -> Reply:
        alias = request.path_parameters["richMenuAliasId"]
        return Reply(_alias(alias, self._menus.alias(alias)))

    def change(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/richMenuAliasTarget")
        self._menus.change_alias(request.path_parameters["richMenuAliasId"], body["richMenuId"])
        return Reply({})

    def delete(self, request: Request) -> Reply:
        self._menus.delete_alias(request.path_parameters["richMenuAliasId"])
        return Reply({})


def _alias(alias: str, menu_id: str) -> dict[str, str]:
    return {"richMenuAliasId": alias, "richMenuId": menu_id}
