"""Adds the endpoints of all subjects to a router."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.account import routes as account_routes
from line_sandbox.audiences import list_routes as audience_list_routes
from line_sandbox.audiences import routes as audience_routes
from line_sandbox.chats import conversation_routes
from line_sandbox.chats import routes as chat_routes
from line_sandbox.contents import routes as content_routes
from line_sandbox.coupons import routes as coupon_routes
from line_sandbox.insight import routes as insight_routes
from line_sandbox.memberships import routes as membership_routes
from line_sandbox.messages import routes as message_routes
from line_sandbox.narrowcasts import routes as narrowcast_routes
from line_sandbox.notifications import routes as notification_routes
from line_sandbox.rich_menus import alias_routes as rich_menu_alias_routes
from line_sandbox.rich_menus import batch_routes as rich_menu_batch_routes
from line_sandbox.rich_menus import insight_routes as rich_menu_insight_routes
from line_sandbox.rich_menus import link_routes as rich_menu_link_routes
from line_sandbox.rich_menus import routes as rich_menu_routes
from line_sandbox.tokens import routes as token_routes
from line_sandbox.usage import routes as usage_routes
from line_sandbox.usage.routes import SentMessageCounts
from line_sandbox.users import routes as user_routes
from line_sandbox.webhooks import endpoint_routes as webhook_routes

if TYPE_CHECKING:
    from line_sandbox.http.routing import Router
    from line_sandbox.platform import Platform


def add_line_routes(router: Router, platform: Platform) -> None:
    """Add all of LINE's endpoints."""
    _add_channel_routes(router, platform)
    _add_user_routes(router, platform)
    _add_message_routes(router, platform)
    _add_marketing_routes(router, platform)


def _add_channel_routes(router: Router, platform: Platform) -> None:
    account_routes.add_routes(
        router, account=platform.account, module_bots=platform.module_bots, page_tokens=platform.page_tokens
    )
    token_routes.add_routes(router, tokens=platform.tokens, assertion_keys=platform.assertion_keys)
    webhook_routes.add_routes(router, settings=platform.webhook_settings, clock=platform.clock)


def _add_user_routes(router: Router, platform: Platform) -> None:
    user_routes.add_routes(
        router,
        users=platform.users,
        followers=platform.followers,
        clock=platform.clock,
        request_ids=platform.request_ids,
    )
    chat_routes.add_routes(
        router, account=platform.account, chats=platform.chats, page_tokens=platform.page_tokens, users=platform.users
    )
    conversation_routes.add_routes(router, read_tokens=platform.read_tokens, users=platform.users)
    content_routes.add_routes(router, contents=platform.contents)
    membership_routes.add_routes(
        router, memberships=platform.memberships, page_tokens=platform.page_tokens, users=platform.users
    )


def _add_message_routes(router: Router, platform: Platform) -> None:
    message_routes.add_routes(router, messaging=platform.messaging)
    narrowcast_routes.add_routes(router, narrowcasts=platform.narrowcasts, clock=platform.clock)
    usage_routes.add_routes(router, usage=platform.usage, clock=platform.clock, page_tokens=platform.page_tokens)
    notification_routes.add_routes(
        router,
        sender=platform.notifications,
        counts=SentMessageCounts(platform.usage.counts, platform.clock),
        has_contract=platform.options.notification_messages,
    )
    insight_routes.add_routes(
        router,
        clock=platform.clock,
        users=platform.users,
        demographics=platform.demographics,
        follower_history=platform.follower_history,
        delivery_counts=platform.usage.counts,
        statistics=platform.statistics,
        narrowcasts=platform.narrowcasts,
    )


def _add_marketing_routes(router: Router, platform: Platform) -> None:
    audience_routes.add_routes(
        router,
        audiences=platform.audiences,
        users=platform.users,
        statistics=platform.statistics,
        random=platform.random,
        clock=platform.clock,
    )
    audience_list_routes.add_routes(
        router, audiences=platform.audiences, account=platform.account, clock=platform.clock
    )
    coupon_routes.add_routes(router, coupons=platform.coupons, page_tokens=platform.page_tokens, clock=platform.clock)
    rich_menu_routes.add_routes(router, rich_menus=platform.rich_menus)
    rich_menu_alias_routes.add_routes(router, rich_menus=platform.rich_menus)
    rich_menu_link_routes.add_routes(router, rich_menus=platform.rich_menus, users=platform.users)
    rich_menu_batch_routes.add_routes(
        router, rich_menus=platform.rich_menus, request_ids=platform.request_ids, clock=platform.clock
    )
    rich_menu_insight_routes.add_routes(
        router,
        rich_menus=platform.rich_menus,
        follower_history=platform.follower_history,
        random=platform.random,
        clock=platform.clock,
    )
