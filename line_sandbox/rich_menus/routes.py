"""Rich menus and their images.

Source: LINE Messaging API reference, "Rich menu".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import NotFound, UnsupportedMediaType
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import read_body

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.rich_menus.state import RichMenu
    from line_sandbox.server.routing import Router

_IMAGE_TYPES = ("image/png", "image/jpeg")
_MISSING = "must be specified"


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _RichMenus(platform)
    router.add("POST /v2/bot/richmenu", endpoints.create)
    router.add("POST /v2/bot/richmenu/validate", endpoints.validate)
    router.add("GET /v2/bot/richmenu/list", endpoints.all)
    router.add("GET /v2/bot/richmenu/{richMenuId}", endpoints.get)
    router.add("DELETE /v2/bot/richmenu/{richMenuId}", endpoints.delete)
    router.add("GET /v2/bot/richmenu/{richMenuId}/content", endpoints.image)
    router.add("POST /v2/bot/richmenu/{richMenuId}/content", endpoints.set_image)
    router.add("GET /v2/bot/user/all/richmenu", endpoints.default)
    router.add("DELETE /v2/bot/user/all/richmenu", endpoints.clear_default)
    router.add("POST /v2/bot/user/all/richmenu/{richMenuId}", endpoints.set_default)


class _RichMenus:
    def __init__(self, platform: Platform) -> None:
        self._menus = platform.rich_menus

    def create(self, request: Request) -> Reply:
        content = read_body(request, "requests.json#/$defs/richMenu", missing=_MISSING)
        return Reply({"richMenuId": self._menus.create(content)})

    def validate(self, request: Request) -> Reply:
        read_body(request, "requests.json#/$defs/richMenu", missing=_MISSING)
        return Reply({})

    def all(self, _: Request) -> Reply:
        return Reply({"richmenus": [_menu(menu) for menu in self._menus.all()]})

    def get(self, request: Request) -> Reply:
        return Reply(_menu(self._menus.find(_menu_id(request))))

    def delete(self, request: Request) -> Reply:
        self._menus.delete(_menu_id(request))
        return Reply({})

    def image(self, request: Request) -> Reply:
        menu = self._menus.find(_menu_id(request))
        if menu.image is None:
            raise NotFound
        return Reply(menu.image, media_type=menu.image_type)

    def set_image(self, request: Request) -> Reply:
        image_type = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
        if image_type not in _IMAGE_TYPES:
            raise UnsupportedMediaType(image_type)
        self._menus.set_image(_menu_id(request), request.body, image_type)
        return Reply({})

    def default(self, _: Request) -> Reply:
        if self._menus.default is None:
            raise NotFound("no default richmenu")
        return Reply({"richMenuId": self._menus.default})

    def set_default(self, request: Request) -> Reply:
        self._menus.set_default(_menu_id(request))
        return Reply({})

    def clear_default(self, _: Request) -> Reply:
        self._menus.set_default(None)
        return Reply({})


def _menu_id(request: Request) -> str:
    return request.path_parameters["richMenuId"]


def _menu(menu: RichMenu) -> dict[str, Any]:
    return {"richMenuId": menu.id, **menu.content}
