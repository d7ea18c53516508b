"""What people have sent.

Source: LINE Messaging API reference, "Getting content".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.server.http import Reply, Request

if TYPE_CHECKING:
    from line_sandbox.contents.state import Content
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Contents(platform)
    router.add("GET /v2/bot/message/{messageId}/content", endpoints.content)
    router.add("GET /v2/bot/message/{messageId}/content/preview", endpoints.preview)
    router.add("GET /v2/bot/message/{messageId}/content/transcoding", endpoints.transcoding)


class _Contents:
    def __init__(self, platform: Platform) -> None:
        self._contents = platform.contents

    def content(self, request: Request) -> Reply:
        return _binary(self._contents.get(request.path_parameters["messageId"]))

    def preview(self, request: Request) -> Reply:
        return _binary(self._contents.preview(request.path_parameters["messageId"]))

    def transcoding(self, request: Request) -> Reply:
        return Reply({"status": self._contents.transcoding(request.path_parameters["messageId"])})


def _binary(content: Content | None) -> Reply:
    if content is None:
        return Reply({}, status=202, note="being prepared")
    return Reply(content.data, media_type=content.media_type)
