"""What the API tests share: the sandbox's faults, and tokens and limits that never stand in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from line_core.api import retry
from line_core.api.tokens import StaticToken
from tests.support.rate_limiter_simulation import InMemoryRateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def add_fault(sandbox_url: str) -> Callable[..., None]:
    """Have the sandbox misbehave: `add_fault("status", "/v2/bot/info", status=500, count=1)`."""

    def add(kind: str, path: str, **how: Any) -> None:
        fault = {"method": "GET", "path": path, "kind": kind, **how}
        requests.post(f"{sandbox_url}/sandbox/faults", json=fault, timeout=10).raise_for_status()

    return add


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without waiting for long."""
    monkeypatch.setattr(retry, "_FIRST_SECONDS", 0.001)


@pytest.fixture
def token() -> StaticToken:
    """The sandbox's long-lived token."""
    return StaticToken("sandbox-token")


@pytest.fixture
def limits() -> InMemoryRateLimiter:
    """LINE's own limits, unused."""
    return InMemoryRateLimiter()
