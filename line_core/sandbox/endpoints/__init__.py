"""LINE's endpoints: they read requests, ask the platform, and write its answers as LINE does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.sandbox.endpoints import (
    account,
    audience_lists,
    audiences,
    chats,
    contents,
    conversations,
    counts,
    coupons,
    insight,
    memberships,
    rich_menu_aliases,
    rich_menu_insight,
    rich_menu_links,
    rich_menus,
    sending,
    tokens,
    webhook_settings,
)

if TYPE_CHECKING:
    from line_core.sandbox.platform.platform import Platform
    from line_core.sandbox.routing import Router

__all__ = ["add_endpoints"]

_SUBJECTS = (
    account,
    audience_lists,
    audiences,
    chats,
    contents,
    conversations,
    counts,
    coupons,
    insight,
    memberships,
    rich_menu_aliases,
    rich_menu_insight,
    rich_menu_links,
    rich_menus,
    sending,
    tokens,
    webhook_settings,
)


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    for subject in _SUBJECTS:
        subject.add_endpoints(router, platform)
