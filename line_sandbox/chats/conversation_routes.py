"""Endpoints that mark messages as read and show the loading animation.

Source: LINE Messaging API reference, "Mark messages as read", "Display a loading animation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.ids import is_line_id
from line_core.messages import Problem
from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.chats.read_tokens import ReadTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.users.state import Users


def add_routes(router: Router, *, read_tokens: ReadTokens, users: Users) -> None:
    """Add the routes of this module."""
    routes = _ConversationRoutes(read_tokens, users)
    router.add("POST /v2/bot/chat/markAsRead", routes.mark_as_read)
    router.add("POST /v2/bot/message/markAsRead", routes.mark_chat_as_read)
    router.add("POST /v2/bot/chat/loading/start", routes.show_loading)


class _ConversationRoutes:
    def __init__(self, read_tokens: ReadTokens, users: Users) -> None:
        self._read_tokens = read_tokens
        self._users = users

    def mark_as_read(self, request: HttpRequest) -> HttpResponse:
        token = read_body(request, "chats.json#/$defs/markAsRead")["markAsReadToken"]
        if not self._read_tokens.is_valid(token):
            raise InvalidRequest(
                "Invalid markAsReadToken. Tokens must be used by the bot that received them via Webhook."
            )
        return HttpResponse({})

    def mark_chat_as_read(self, _: HttpRequest) -> HttpResponse:
        raise Forbidden.for_account_type()  # LINE offers this endpoint to partners only.

    def show_loading(self, request: HttpRequest) -> HttpResponse:
        line_id = read_body(request, "chats.json#/$defs/loading", error=_loading_error)["chatId"]
        if not is_line_id(line_id) or self._users.number_of(line_id) is None:
            message = "Only user id is acceptable, please confirm if there are any group/room ids or illegal ids."
            raise InvalidRequest.with_details(Problem("chatId", message))
        return HttpResponse({}, status=202)


def _loading_error(_: dict[str, Any], problems: Sequence[Problem]) -> InvalidRequest:
    """Return the response to an invalid request, with LINE's text for the number of seconds."""
    texts = {"must be a multiple of 5": "must be a multiple of five"}
    details = [problem._replace(message=texts.get(problem.message, problem.message)) for problem in problems]
    return InvalidRequest.with_details(*sorted(details, key=lambda detail: detail.message))
