"""The bot, its followers and their profiles.

Source: LINE Messaging API reference, "Users", "LINE Official Account (bot)", "Account link"; for partners: "Get a
list of bots to which the module is attached".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.ids import is_line_id
from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest, NotFound
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_parameters import count_parameter
from line_sandbox.users.followers import DEFAULT_LIMIT, MAX_LIMIT

if TYPE_CHECKING:
    from line_sandbox.account.state import Account
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_BOTS = "bots"
_MOST_BOTS = 100


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Account(platform)
    router.add("GET /v2/bot/info", endpoints.info)
    router.add("GET /v2/bot/list", endpoints.module_bots)
    router.add("GET /v2/bot/followers/ids", endpoints.follower_ids)
    router.add("GET /v2/bot/profile/{userId}", endpoints.profile)
    router.add("POST /v2/bot/user/{userId}/linkToken", endpoints.link_token)


def line_id_parameter(request: Request) -> str:
    """The LINE ID in a request's path.

    Raises:
        InvalidRequest: It is written otherwise.
    """
    line_id = request.path_parameters["userId"]
    if not is_line_id(line_id):
        raise InvalidRequest.parameter("userId")
    return line_id


def _basics(account: Account) -> dict[str, str]:
    return {
        "userId": account.user_id,
        "basicId": account.basic_id,
        "displayName": account.display_name,
        "pictureUrl": account.picture_url,
    }


class _Account:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def info(self, _: Request) -> Reply:
        return Reply({**_basics(self._platform.account), "chatMode": "bot", "markAsReadMode": "auto"})

    def module_bots(self, request: Request) -> Reply:
        bots = self._platform.module_bots
        if not bots:
            raise Forbidden.account()
        limit = count_parameter(request, "limit", _MOST_BOTS, most=_MOST_BOTS)
        first, page = self._platform.page_tokens.start(_BOTS, request.parameter("start"))
        content: dict[str, object] = {"bots": [_basics(bot) for bot in bots[first : first + limit]]}
        if first + limit < len(bots):
            content["next"] = self._platform.page_tokens.issue(_BOTS, first + limit, page + 1)
        return Reply(content)

    def follower_ids(self, request: Request) -> Reply:
        limit = count_parameter(request, "limit", DEFAULT_LIMIT, most=MAX_LIMIT)
        page = self._platform.followers.page(limit, request.parameter("start"))
        content: dict[str, object] = {"userIds": page.ids}
        if page.next:
            content["next"] = page.next
        return Reply(content, note=f"{len(page.ids)} ids")

    def profile(self, request: Request) -> Reply:
        users = self._platform.users
        number = users.number_of(line_id_parameter(request))
        if number is None or not users.is_reachable(number, self._platform.clock.now()):
            raise NotFound
        profile = users.profile(number)
        content = {
            "userId": profile.user_id,
            "displayName": profile.display_name,
            "pictureUrl": profile.picture_url,
            "statusMessage": profile.status_message,
            "language": profile.language,
        }
        return Reply({name: value for name, value in content.items() if value is not None})

    def link_token(self, request: Request) -> Reply:
        number = self._platform.users.number_of(line_id_parameter(request))
        if number is None:
            raise NotFound
        return Reply({"linkToken": f"{self._platform.request_ids.bits(2**96 + request.number, 24):048x}"})
