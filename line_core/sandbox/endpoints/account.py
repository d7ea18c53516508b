"""The bot, its followers and their profiles.

Source: LINE Messaging API reference, "Users", "Bot".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.ids import is_line_id
from line_core.sandbox.http import Reply, Request
from line_core.sandbox.platform.followers import DEFAULT_LIMIT
from line_core.sandbox.platform.refusals import InvalidRequest, NotFound

if TYPE_CHECKING:
    from line_core.sandbox.platform.platform import Platform
    from line_core.sandbox.routing import Router


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Account(platform)
    router.add("GET /v2/bot/info", endpoints.info)
    router.add("GET /v2/bot/followers/ids", endpoints.follower_ids)
    router.add("GET /v2/bot/profile/{userId}", endpoints.profile)


class _Account:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def info(self, _: Request) -> Reply:
        account = self._platform.account
        return Reply(
            {
                "userId": account.user_id,
                "basicId": account.basic_id,
                "displayName": account.display_name,
                "pictureUrl": account.picture_url,
                "chatMode": "bot",
                "markAsReadMode": "auto",
            }
        )

    def follower_ids(self, request: Request) -> Reply:
        page = self._platform.followers.page(request.integer("limit", DEFAULT_LIMIT), request.parameter("start"))
        content: dict[str, object] = {"userIds": page.ids}
        if page.next:
            content["next"] = page.next
        return Reply(content, note=f"{len(page.ids)} ids")

    def profile(self, request: Request) -> Reply:
        line_id = request.path_parameters["userId"]
        if not is_line_id(line_id):
            raise InvalidRequest.parameter("userId")
        users = self._platform.users
        number = users.number_of(line_id)
        if number is None or not users.is_following(number):
            raise NotFound
        profile = users.profile(number)
        content = {
            "userId": profile.user_id,
            "displayName": profile.display_name,
            "pictureUrl": profile.picture_url,
            "statusMessage": profile.status_message,
            "language": profile.language,
        }
        return Reply({key: value for key, value in content.items() if value is not None})
