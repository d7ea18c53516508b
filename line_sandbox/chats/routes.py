"""Endpoints for groups and rooms.

Source: LINE Messaging API reference, "Group chats", "Multi-person chats".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.ids import is_chat_id, is_line_id
from line_sandbox.chats.state import ChatKind
from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest, NotFound
from line_sandbox.http.parameters import line_id_parameter
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.account.state import Account
    from line_sandbox.chats.state import Chats
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.users.state import Users

_PAGE_SIZE = 100


def add_routes(router: Router, *, chats: Chats, users: Users, account: Account, page_tokens: PageTokens) -> None:
    """Add the routes of this module."""
    for kind in ChatKind:
        routes = _ChatRoutes(kind, chats, users, account, page_tokens)
        path = f"/v2/bot/{kind}/{{{kind}Id}}"
        router.add(f"GET {path}/members/count", routes.member_count)
        router.add(f"GET {path}/members/ids", routes.member_ids)
        router.add(f"GET {path}/member/{{userId}}", routes.member)
        router.add(f"POST {path}/leave", routes.leave)
        if kind is ChatKind.GROUP:
            router.add(f"GET {path}/summary", routes.summary)


class _ChatRoutes:
    def __init__(self, kind: ChatKind, chats: Chats, users: Users, account: Account, page_tokens: PageTokens) -> None:
        self._kind = kind
        self._chats = chats
        self._users = users
        self._account = account
        self._page_tokens = page_tokens

    def summary(self, request: HttpRequest) -> HttpResponse:
        number = self._chat(request)
        return HttpResponse(
            {
                "groupId": self._chats.id_of(number),
                "groupName": self._chats.name(number),
                "pictureUrl": self._chats.picture_url(number),
            }
        )

    def member_count(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse({"count": len(self._chats.members(self._chat(request)))})

    def member_ids(self, request: HttpRequest) -> HttpResponse:
        if not self._account.verified:
            raise Forbidden.for_account_type()
        number = self._chat(request)
        members, next_token = self._page_tokens.paginate(
            f"members:{number}", self._chats.members(number), _PAGE_SIZE, request.query_parameter("start")
        )
        line_ids = [self._users.line_id(member) for member in members]
        return HttpResponse({"memberIds": line_ids, **next_token}, note=f"{len(line_ids)} ids")

    def member(self, request: HttpRequest) -> HttpResponse:
        number = self._chat(request)
        user = self._users.number_of(line_id_parameter(request))
        if user is None or user not in self._chats.members(number):
            raise NotFound
        profile = self._users.profile(user)
        content = {"userId": profile.user_id, "displayName": profile.display_name, "pictureUrl": profile.picture_url}
        return HttpResponse({name: value for name, value in content.items() if value is not None})

    def leave(self, request: HttpRequest) -> HttpResponse:
        self._chats.leave(self._chat(request))
        return HttpResponse({})

    def _chat(self, request: HttpRequest) -> int:
        name = f"{self._kind}Id"
        chat_id = request.path_parameters[name]
        if not (is_chat_id(chat_id) or is_line_id(chat_id)):  # A user ID is a valid format, but is not found.
            raise InvalidRequest.for_parameter(name)
        return self._chats.find(self._kind, chat_id)
