"""The control API under `/sandbox/` and the page at `/`. Neither uses a path of LINE's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.control import assertion_keys, deliveries, faults, overview, state, webhooks
from line_sandbox.http.routing import Router
from line_sandbox.page import add_page_routes

if TYPE_CHECKING:
    from line_sandbox.server.sandbox import Sandbox

__all__ = ["create_control_router"]


def create_control_router(sandbox: Sandbox) -> Router:
    """Return a router with the control API and the page of a sandbox."""
    router = Router()
    for module in (state, deliveries, faults, webhooks, assertion_keys, overview):
        module.add_routes(router, sandbox)
    add_page_routes(router)
    return router
