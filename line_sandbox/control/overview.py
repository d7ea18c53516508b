"""Control API: all that the page at `/` shows, in one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.control.reading import offset_and_limit
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.response import HttpResponse
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.platform import Platform
    from line_sandbox.server.app import Sandbox

_LIMIT = 20


def add_control(router: Router, sandbox: Sandbox) -> None:
    """Add this part of the control API."""
    router.add("GET /sandbox/overview", _Overview(sandbox).get)


class _Overview:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def get(self, request: HttpRequest) -> HttpResponse:
        _, limit = offset_and_limit(request, _LIMIT)
        platform = self._sandbox.platform
        return HttpResponse(
            {
                "account": {"name": platform.account.display_name, "basic_id": platform.account.basic_id},
                "now": iso_time(platform.clock.now()),
                "today": platform.clock.today().isoformat(),
                "requests": self._sandbox.seen.by_endpoint(),
                "request_count": self._sandbox.seen.total,
                "deliveries": platform.log.delivered,
                "recipients": platform.log.reached,
                "quota": platform.quota.limit,
                "quota_used": platform.quota.used,
                "people": _people(platform, limit),
                "last": _last(platform, limit),
            },
            is_logged=False,  # the page asks every second
        )


def _people(platform: Platform, limit: int) -> dict[str, Any]:
    """How many people are in which state, and some of them, those whose state was changed first."""
    users = platform.users
    crowds = {state: users.crowd(state) for state in UserState}
    changed = [number for crowd in crowds.values() for number in crowd.added]
    some = [*changed, *crowds[UserState.FOLLOWING][:limit]][:limit]
    told = [
        {"line_id": users.line_id(number), "name": users.profile(number).display_name, "state": users.state(number)}
        for number in dict.fromkeys(some)
    ]
    return {state.value: len(crowd) for state, crowd in crowds.items()} | {"some": told}


def _last(platform: Platform, limit: int) -> list[dict[str, Any]]:
    """The last deliveries, the newest first."""
    first = max(0, platform.log.delivered - limit)
    told = []
    for accepted, chat in platform.log.deliveries(first, limit):
        is_person = chat >= 0
        told.append(
            {
                "line_id": platform.users.line_id(chat) if is_person else platform.chats.id_of(chat),
                "name": platform.users.profile(chat).display_name if is_person else platform.chats.name(chat),
                "endpoint": accepted.endpoint,
                "request_id": platform.request_id(accepted.request_number),
                "at": iso_time(accepted.at),
                "messages": accepted.messages,
            }
        )
    return told[::-1]
