"""Endpoints for follower ids, profiles and link tokens.

Source: LINE Messaging API reference, "Users", "Account link".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import NotFound
from line_sandbox.http.parameters import count_parameter, line_id_parameter
from line_sandbox.http.response import HttpResponse
from line_sandbox.users.follower_listing import DEFAULT_LIMIT, MAX_LIMIT

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.users.follower_listing import FollowerListing
    from line_sandbox.users.state import Users


def add_routes(
    router: Router, *, users: Users, followers: FollowerListing, clock: Clock, request_ids: SeededRandom
) -> None:
    """Add the routes of this module."""
    routes = _UserRoutes(users=users, followers=followers, clock=clock, request_ids=request_ids)
    router.add("GET /v2/bot/followers/ids", routes.follower_ids)
    router.add("GET /v2/bot/profile/{userId}", routes.profile)
    router.add("POST /v2/bot/user/{userId}/linkToken", routes.link_token)


class _UserRoutes:
    def __init__(self, *, users: Users, followers: FollowerListing, clock: Clock, request_ids: SeededRandom) -> None:
        self._users = users
        self._followers = followers
        self._clock = clock
        self._request_ids = request_ids

    def follower_ids(self, request: HttpRequest) -> HttpResponse:
        limit = count_parameter(request, "limit", DEFAULT_LIMIT, maximum=MAX_LIMIT)
        page = self._followers.page(limit, request.query_parameter("start"))
        content: dict[str, object] = {"userIds": page.ids}
        if page.next:
            content["next"] = page.next
        return HttpResponse(content, note=f"{len(page.ids)} ids")

    def profile(self, request: HttpRequest) -> HttpResponse:
        number = self._users.number_of(line_id_parameter(request))
        if number is None or not self._users.is_reachable(number, self._clock.now()):
            raise NotFound
        profile = self._users.profile(number)
        content = {
            "userId": profile.user_id,
            "displayName": profile.display_name,
            "pictureUrl": profile.picture_url,
            "statusMessage": profile.status_message,
            "language": profile.language,
        }
        return HttpResponse({name: value for name, value in content.items() if value is not None})

    def link_token(self, request: HttpRequest) -> HttpResponse:
        number = self._users.number_of(line_id_parameter(request))
        if number is None:
            raise NotFound
        return HttpResponse({"linkToken": f"{self._request_ids.integer(2**96 + request.number, 24):048x}"})
