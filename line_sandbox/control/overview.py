"""Control API: everything that the page at `/` shows, in one response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.control.parameters import offset_and_limit
from line_sandbox.foundation.clock import iso_time
from line_sandbox.http.response import HttpResponse
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.platform import Platform
    from line_sandbox.server.sandbox import Sandbox

_LIMIT = 20


def add_routes(router: Router, sandbox: Sandbox) -> None:
    """Add the routes of this module."""
    router.add("GET /sandbox/overview", _OverviewControl(sandbox).get)


class _OverviewControl:
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
                "requests": self._sandbox.request_counts.by_endpoint(),
                "request_count": self._sandbox.request_counts.total,
                "deliveries": platform.messaging.delivery_log.delivery_count,
                "recipients": platform.messaging.delivery_log.recipient_count,
                "quota": platform.usage.quota.limit,
                "quota_used": platform.usage.quota.used,
                "users": _users(platform, limit),
                "last_deliveries": _last_deliveries(platform, limit),
            },
            is_logged=False,  # the page requests it every second
        )


def _users(platform: Platform, limit: int) -> dict[str, Any]:
    """Count the users in each state and list up to `limit` of them, starting with those whose state was changed."""
    users = platform.users
    by_state = {state: users.in_state(state) for state in UserState}
    changed = [number for numbers in by_state.values() for number in numbers.added]
    listed = [*changed, *by_state[UserState.FOLLOWING][:limit]][:limit]
    entries = [
        {"line_id": users.line_id(number), "name": users.profile(number).display_name, "state": users.state(number)}
        for number in dict.fromkeys(listed)
    ]
    return {state.value: len(numbers) for state, numbers in by_state.items()} | {"listed": entries}


def _last_deliveries(platform: Platform, limit: int) -> list[dict[str, Any]]:
    """Return the last `limit` deliveries, newest first."""
    first = max(0, platform.messaging.delivery_log.delivery_count - limit)
    entries = []
    for logged, chat in platform.messaging.delivery_log.deliveries(first, limit):
        is_user = chat >= 0
        entries.append(
            {
                "line_id": platform.users.line_id(chat) if is_user else platform.chats.id_of(chat),
                "name": platform.users.profile(chat).display_name if is_user else platform.chats.name(chat),
                "endpoint": logged.endpoint,
                "request_id": platform.request_id(logged.request_number),
                "at": iso_time(logged.delivered_at),
                "messages": logged.messages,
            }
        )
    return entries[::-1]
