"""The control API, under `/sandbox/`: never on LINE's own paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.sandbox.control import faults, records, state, webhooks

if TYPE_CHECKING:
    from line_core.sandbox.app import Sandbox
    from line_core.sandbox.routing import Router

__all__ = ["CONTROL_PREFIX", "add_control"]

CONTROL_PREFIX = "/sandbox"


def add_control(router: Router, sandbox: Sandbox) -> None:
    """Add the control API to a sandbox."""
    for subject in (state, records, faults, webhooks):
        subject.add_control(router, sandbox)
