"""LINE's endpoints: they read requests, ask the platform, and write its answers as LINE does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.sandbox.endpoints import account, messages, tokens

if TYPE_CHECKING:
    from line_core.sandbox.platform.platform import Platform
    from line_core.sandbox.routing import Router

__all__ = ["add_endpoints"]


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    for subject in (account, messages, tokens):
        subject.add_endpoints(router, platform)
