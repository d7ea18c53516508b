"""LINE's endpoints: they read requests, ask the platform, and write its answers as LINE does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.account import routes as account_routes
from line_sandbox.account import webhook_routes as account_webhook_routes
from line_sandbox.audiences import list_routes as audiences_list_routes
from line_sandbox.audiences import routes as audiences_routes
from line_sandbox.chats import conversation_routes as chats_conversation_routes
from line_sandbox.chats import routes as chats_routes
from line_sandbox.contents import routes as contents_routes
from line_sandbox.coupons import routes as coupons_routes
from line_sandbox.insight import routes as insight_routes
from line_sandbox.memberships import routes as memberships_routes
from line_sandbox.messages import count_routes as messages_count_routes
from line_sandbox.messages import routes as messages_routes
from line_sandbox.rich_menus import alias_routes as rich_menus_alias_routes
from line_sandbox.rich_menus import insight_routes as rich_menus_insight_routes
from line_sandbox.rich_menus import link_routes as rich_menus_link_routes
from line_sandbox.rich_menus import routes as rich_menus_routes
from line_sandbox.tokens import routes as tokens_routes

if TYPE_CHECKING:
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

__all__ = ["add_endpoints"]

_SUBJECTS = (
    account_routes,
    account_webhook_routes,
    audiences_routes,
    audiences_list_routes,
    chats_routes,
    chats_conversation_routes,
    contents_routes,
    coupons_routes,
    insight_routes,
    memberships_routes,
    messages_routes,
    messages_count_routes,
    rich_menus_routes,
    rich_menus_alias_routes,
    rich_menus_insight_routes,
    rich_menus_link_routes,
    tokens_routes,
)


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    for subject in _SUBJECTS:
        subject.add_endpoints(router, platform)
