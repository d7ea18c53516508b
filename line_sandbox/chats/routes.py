"""Groups and rooms.

Source: LINE Messaging API reference, "Group chats", "Multi-person chats".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from line_core.ids import CHAT_ID_PATTERN
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

_CHAT_ID = re.compile(CHAT_ID_PATTERN.rstrip("$") + r"\Z")
_PAGE = 100


def add_routes(router: Router, *, account: Account, chats: Chats, page_tokens: PageTokens, users: Users) -> None:
    """Add the routes of this module."""
    for kind in ChatKind:
        endpoints = _Chats(kind, account=account, chats=chats, page_tokens=page_tokens, users=users)
        path = f"/v2/bot/{kind}/{{{kind}Id}}"
        router.add(f"GET {path}/members/count", endpoints.member_count)
        router.add(f"GET {path}/members/ids", endpoints.member_ids)
        router.add(f"GET {path}/member/{{userId}}", endpoints.member)
        router.add(f"POST {path}/leave", endpoints.leave)
        if kind is ChatKind.GROUP:
            router.add(f"GET {path}/summary", endpoints.summary)


class _Chats:
    def __init__(
        self, kind: ChatKind, *, account: Account, chats: Chats, page_tokens: PageTokens, users: Users
    ) -> None:
        self._account = account
        self._chats = chats
        self._page_tokens = page_tokens
        self._users = users
        self._kind = kind

    def summary(self, request: HttpRequest) -> HttpResponse:
        number = self._chat(request)
        chats = self._chats
        return HttpResponse(
            {
                "groupId": chats.id_of(number),
                "groupName": chats.name(number),
                "pictureUrl": chats.picture_url(number),
            }
        )

    def member_count(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse({"count": len(self._chats.members(self._chat(request)))})

    def member_ids(self, request: HttpRequest) -> HttpResponse:
        if not self._account.verified:
            raise Forbidden.for_account_type()
        number = self._chat(request)
        members = self._chats.members(number)
        tokens = self._page_tokens
        listing = f"members:{number}"
        first, page = tokens.read(listing, request.query_parameter("start"))
        line_ids = [self._users.line_id(member) for member in members[first : first + _PAGE]]
        content: dict[str, Any] = {"memberIds": line_ids}
        if first + _PAGE < len(members):
            content["next"] = tokens.issue(listing, first + _PAGE, page + 1)
        return HttpResponse(content, note=f"{len(line_ids)} ids")

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
        if not _CHAT_ID.match(chat_id):
            raise InvalidRequest.for_parameter(name)
        return self._chats.find(self._kind, chat_id)
