"""Endpoints for rich menus and their images.

Source: LINE Messaging API reference, "Rich menu".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import NotFound, UnsupportedMediaType
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.rich_menus.state import RichMenu, RichMenuStore

_IMAGE_TYPES = ("image/png", "image/jpeg")
_MISSING_PROPERTY = "must be specified"


def add_routes(router: Router, *, rich_menus: RichMenuStore) -> None:
    """Add the routes of this module."""
    routes = _RichMenuRoutes(rich_menus)
    router.add("POST /v2/bot/richmenu", routes.create)
    router.add("POST /v2/bot/richmenu/validate", routes.validate)
    router.add("GET /v2/bot/richmenu/list", routes.list_menus)
    router.add("GET /v2/bot/richmenu/{richMenuId}", routes.get)
    router.add("DELETE /v2/bot/richmenu/{richMenuId}", routes.delete)
    router.add("GET /v2/bot/richmenu/{richMenuId}/content", routes.image)
    router.add("POST /v2/bot/richmenu/{richMenuId}/content", routes.set_image)
    router.add("GET /v2/bot/user/all/richmenu", routes.default)
    router.add("DELETE /v2/bot/user/all/richmenu", routes.clear_default)
    router.add("POST /v2/bot/user/all/richmenu/{richMenuId}", routes.set_default)


class _RichMenuRoutes:
    def __init__(self, rich_menus: RichMenuStore) -> None:
        self._menus = rich_menus

    def create(self, request: HttpRequest) -> HttpResponse:
        content = read_body(request, "rich_menus.json#/$defs/richMenu", missing=_MISSING_PROPERTY)
        return HttpResponse({"richMenuId": self._menus.create(content)})

    def validate(self, request: HttpRequest) -> HttpResponse:
        read_body(request, "rich_menus.json#/$defs/richMenu", missing=_MISSING_PROPERTY)
        return HttpResponse({})

    def list_menus(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"richmenus": [_menu(menu) for menu in self._menus.all()]})

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(_menu(self._menus.find(_menu_id(request))))

    def delete(self, request: HttpRequest) -> HttpResponse:
        self._menus.delete(_menu_id(request))
        return HttpResponse({})

    def image(self, request: HttpRequest) -> HttpResponse:
        menu = self._menus.find(_menu_id(request))
        if menu.image is None:
            raise NotFound
        return HttpResponse(menu.image, media_type=menu.image_type)

    def set_image(self, request: HttpRequest) -> HttpResponse:
        image_type = (request.header(b"content-type") or "").partition(";")[0].strip().lower()
        if image_type not in _IMAGE_TYPES:
            raise UnsupportedMediaType(image_type)
        self._menus.set_image(_menu_id(request), request.body, image_type)
        return HttpResponse({})

    def default(self, _: HttpRequest) -> HttpResponse:
        if self._menus.default is None:
            raise NotFound("no default richmenu", [])
        return HttpResponse({"richMenuId": self._menus.default})

    def set_default(self, request: HttpRequest) -> HttpResponse:
        self._menus.set_default(_menu_id(request))
        return HttpResponse({})

    def clear_default(self, _: HttpRequest) -> HttpResponse:
        self._menus.set_default(None)
        return HttpResponse({})


def _menu_id(request: HttpRequest) -> str:
    return request.path_parameters["richMenuId"]


def _menu(menu: RichMenu) -> dict[str, Any]:
    return {"richMenuId": menu.id, **menu.content}
