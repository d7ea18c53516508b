"""Groups and rooms.

Source: LINE Messaging API reference, "Group chats", "Multi-person chats".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from line_core.ids import CHAT_ID_PATTERN
from line_sandbox.account.routes import line_id_parameter
from line_sandbox.chats.state import ChatKind
from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest, NotFound
from line_sandbox.server.http import Reply, Request

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_CHAT_ID = re.compile(CHAT_ID_PATTERN.rstrip("$") + r"\Z")
_PAGE = 100


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    for kind in ChatKind:
        endpoints = _Chats(platform, kind)
        path = f"/v2/bot/{kind}/{{{kind}Id}}"
        router.add(f"GET {path}/members/count", endpoints.member_count)
        router.add(f"GET {path}/members/ids", endpoints.member_ids)
        router.add(f"GET {path}/member/{{userId}}", endpoints.member)
        router.add(f"POST {path}/leave", endpoints.leave)
        if kind is ChatKind.GROUP:
            router.add(f"GET {path}/summary", endpoints.summary)


class _Chats:
    def __init__(self, platform: Platform, kind: ChatKind) -> None:
        self._platform = platform
        self._kind = kind

    def summary(self, request: Request) -> Reply:
        number = self._chat(request)
        chats = self._platform.chats
        return Reply(
            {
                "groupId": chats.id_of(number),
                "groupName": chats.name(number),
                "pictureUrl": chats.picture_url(number),
            }
        )

    def member_count(self, request: Request) -> Reply:
        return Reply({"count": len(self._platform.chats.members(self._chat(request)))})

    def member_ids(self, request: Request) -> Reply:
        if not self._platform.account.verified:
            raise Forbidden.account()
        number = self._chat(request)
        members = self._platform.chats.members(number)
        tokens = self._platform.page_tokens
        listing = f"members:{number}"
        first, page = tokens.start(listing, request.parameter("start"))
        line_ids = [self._platform.users.line_id(member) for member in members[first : first + _PAGE]]
        content: dict[str, Any] = {"memberIds": line_ids}
        if first + _PAGE < len(members):
            content["next"] = tokens.issue(listing, first + _PAGE, page + 1)
        return Reply(content, note=f"{len(line_ids)} ids")

    def member(self, request: Request) -> Reply:
        number = self._chat(request)
        user = self._platform.users.number_of(line_id_parameter(request))
        if user is None or user not in self._platform.chats.members(number):
            raise NotFound
        profile = self._platform.users.profile(user)
        content = {"userId": profile.user_id, "displayName": profile.display_name, "pictureUrl": profile.picture_url}
        return Reply({name: value for name, value in content.items() if value is not None})

    def leave(self, request: Request) -> Reply:
        self._platform.chats.leave(self._chat(request))
        return Reply({})

    def _chat(self, request: Request) -> int:
        name = f"{self._kind}Id"
        chat_id = request.path_parameters[name]
        if not _CHAT_ID.match(chat_id):
            raise InvalidRequest.parameter(name)
        return self._platform.chats.find(self._kind, chat_id)
