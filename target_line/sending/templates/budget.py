"""Limits of the time and the work of the templates of one message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from target_line.sending.templates.values import TemplateValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_SECONDS = 2.0
"""Computing time of all templates of a message. They need less than a millisecond, and other limits stop them before.

It is not the time of a clock: a message must not be rejected because the machine was busy or stood still.
"""
MAX_LOOP_STEPS = 10_000
"""Steps of all loops of a message's templates."""


class Budget:
    """Work that the templates of one message may still do."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        """Start the time.

        Args:
            clock: Returns the time in seconds.
        """
        self._clock = clock
        self._deadline = clock() + MAX_SECONDS
        self._steps = 0

    def check_time(self) -> None:
        """Check the time.

        Raises:
            TemplateValueError: The time is over.
        """
        if self._clock() > self._deadline:
            raise TemplateValueError(f"the templates of the message need more than {MAX_SECONDS:g} seconds")

    def count_steps(self, items: Iterator[object]) -> Iterator[object]:
        """Yield the items of a loop.

        Raises:
            TemplateValueError: The time or the number of steps is used up.
        """
        for item in items:
            self._steps += 1
            if self._steps > MAX_LOOP_STEPS:
                raise TemplateValueError(f"the loops of the message have more than {MAX_LOOP_STEPS:,} steps")
            self.check_time()
            yield item
