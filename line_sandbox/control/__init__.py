"""The control API under `/sandbox/`, and the page at `/`: never on LINE's own paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.control import faults, keys, overview, records, state, webhooks
from line_sandbox.page import add_page

if TYPE_CHECKING:
    from line_sandbox.http.routing import Router
    from line_sandbox.server.app import Sandbox

__all__ = ["add_control", "is_control"]

_PREFIX = "/sandbox"


def is_control(path: str) -> bool:
    """Whether a path is ours, and not LINE's."""
    return path == "/" or path.startswith(_PREFIX)


def add_control(router: Router, sandbox: Sandbox) -> None:
    """Add the control API to a sandbox."""
    for subject in (state, records, faults, webhooks, keys, overview):
        subject.add_control(router, sandbox)
    add_page(router)
