"""Endpoints that return the contents of messages.

Source: LINE Messaging API reference, "Getting content".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.contents.state import Content, Contents
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router


def add_routes(router: Router, *, contents: Contents) -> None:
    """Add the routes of this module."""
    routes = _ContentRoutes(contents)
    router.add("GET /v2/bot/message/{messageId}/content", routes.content)
    router.add("GET /v2/bot/message/{messageId}/content/preview", routes.preview)
    router.add("GET /v2/bot/message/{messageId}/content/transcoding", routes.transcoding)


class _ContentRoutes:
    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def content(self, request: HttpRequest) -> HttpResponse:
        return _binary(self._contents.get(request.path_parameters["messageId"]))

    def preview(self, request: HttpRequest) -> HttpResponse:
        return _binary(self._contents.preview(request.path_parameters["messageId"]))

    def transcoding(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse({"status": self._contents.transcoding_status(request.path_parameters["messageId"])})


def _binary(content: Content | None) -> HttpResponse:
    if content is None:
        return HttpResponse({}, status=202, note="transcoding")
    return HttpResponse(content.data, media_type=content.media_type)
