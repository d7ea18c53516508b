"""What a bot does in a chat besides sending: mark as read, show that it is busy.

Source: LINE Messaging API reference, "Mark messages as read", "Display a loading animation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.ids import is_line_id
from line_core.messages import Problem
from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import read_body

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Conversations(platform)
    router.add("POST /v2/bot/chat/markAsRead", endpoints.mark_as_read)
    router.add("POST /v2/bot/message/markAsRead", endpoints.mark_chat_as_read)
    router.add("POST /v2/bot/chat/loading/start", endpoints.show_loading)


class _Conversations:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def mark_as_read(self, request: Request) -> Reply:
        token = read_body(request, "requests.json#/$defs/markAsRead")["markAsReadToken"]
        if not self._platform.read_tokens.knows(token):
            raise InvalidRequest(
                "Invalid markAsReadToken. Tokens must be used by the bot that received them via Webhook."
            )
        return Reply({})

    def mark_chat_as_read(self, _: Request) -> Reply:
        raise Forbidden.account()  # LINE gives this one to its partners only

    def show_loading(self, request: Request) -> Reply:
        line_id = read_body(request, "requests.json#/$defs/loading")["chatId"]
        if not is_line_id(line_id) or self._platform.users.number_of(line_id) is None:
            words = "Only user id is acceptable, please confirm if there are any group/room ids or illegal ids."
            raise InvalidRequest.because(Problem("chatId", words))
        return Reply({}, status=202)
