"""How long to wait before trying again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_ATTEMPTS = 8

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0


def pauses(attempts: int = DEFAULT_ATTEMPTS) -> Iterator[float]:
    """Seconds to wait before each attempt: none before the first, then doubling, each with jitter.

    Half of a pause is fixed and half is random, so that many clients that failed together do not come back together.
    """
    yield 0.0
    for attempt in range(attempts - 1):
        longest = min(_FIRST_SECONDS * 2**attempt, _LONGEST_SECONDS)
        yield random.uniform(longest / 2, longest)  # noqa: S311 - jitter, no secret
