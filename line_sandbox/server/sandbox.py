"""The state behind the server: a platform, its routes, and the server's own records."""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.http.routing import Router
from line_sandbox.platform import Platform, PlatformOptions
from line_sandbox.server.faults import Faults
from line_sandbox.server.line_routes import add_line_routes
from line_sandbox.server.rate_limits import RateLimits
from line_sandbox.server.request_counts import RequestCounts


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Options of the platform and of the server."""

    platform: PlatformOptions
    latency_seconds: float
    """Delay before each response to a request on LINE's endpoints."""
    rate_limits: bool
    """Whether requests above LINE's rate limits get status 429."""


class Sandbox:
    """A platform that can be reset, with its routes, faults, request counts and rate limits."""

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.faults = Faults()
        self.reset()

    def reset(self) -> None:
        """Replace everything except the faults with a fresh state."""
        self.platform = Platform(self.options.platform)
        self.router = Router()
        add_line_routes(self.router, self.platform)
        self.rate_limits = RateLimits(self.platform.clock)
        self.request_counts = RequestCounts()
        self._last_request_number = 0

    def next_request_number(self) -> int:
        """Return 1 for the first request since the last reset, then 2, and so on."""
        self._last_request_number += 1
        return self._last_request_number
