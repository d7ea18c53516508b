"""Patches for programs that must not wait long between retries; see `tests.support.programs.start`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.api.retry import RetryPolicy


def _short_pauses(policy: RetryPolicy) -> Iterator[float]:
    yield 0.0
    for _ in range(policy.attempts - 1):
        yield 0.01


SHORT_PAUSES: dict[str, object] = {"line_core.api.retry.RetryPolicy.pauses": _short_pauses}
"""Shorten the pauses of every retry policy to 10 ms."""
