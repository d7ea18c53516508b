"""Fixtures of the API tests: faults of the sandbox, a token, a rate limiter without a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from line_core.api.retry import RetryPolicy
from line_core.api.tokens import StaticToken
from tests.support.rate_limiter_simulation import InMemoryRateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def add_fault(sandbox_url: str) -> Callable[..., None]:
    """Add a fault to the sandbox: `add_fault("status", "/v2/bot/info", status=500, count=1)`."""

    def add(kind: str, path: str, **options: Any) -> None:
        fault = {"method": "GET", "path": path, "kind": kind, **options}
        requests.post(f"{sandbox_url}/sandbox/faults", json=fault, timeout=10).raise_for_status()

    return add


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses between retries."""
    monkeypatch.setattr(RetryPolicy, "pauses", lambda policy: iter([0.0] + [0.001] * (policy.attempts - 1)))


@pytest.fixture
def token() -> StaticToken:
    """The sandbox's long-lived token."""
    return StaticToken("sandbox-token")


@pytest.fixture
def rate_limiter() -> InMemoryRateLimiter:
    """A new rate limiter without a store."""
    return InMemoryRateLimiter()
