"""Iteration over an async generator that runs in a separate thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tap_line.background_iteration import iterate_in_background

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def count_to(last: int, closed: list[bool]) -> AsyncIterator[int]:
    try:
        for number in range(1, last + 1):
            await asyncio.sleep(0)
            yield number
    finally:
        await asyncio.sleep(0)
        closed.append(True)


def test_items_keep_their_order_and_the_generator_is_closed() -> None:
    closed: list[bool] = []
    assert list(iterate_in_background(count_to(100, closed))) == list(range(1, 101))
    assert closed == [True]


def test_an_early_stop_closes_the_generator_and_ends_the_thread() -> None:
    closed: list[bool] = []
    numbers = iterate_in_background(count_to(1000, closed))
    assert next(numbers) == 1
    numbers.close()  # type: ignore[attr-defined]  # a generator
    assert closed == [True]
    assert "line-background" not in {thread.name for thread in threading.enumerate()}


def test_an_error_of_the_generator_is_raised_after_the_items_before_it() -> None:
    async def fail() -> AsyncIterator[int]:
        yield 1
        raise ValueError("no more")

    numbers = iterate_in_background(fail())
    assert next(numbers) == 1
    with pytest.raises(ValueError, match="no more"):
        next(numbers)


def test_the_next_item_is_prefetched_while_the_caller_uses_one() -> None:
    async def slow() -> AsyncIterator[int]:
        for number in range(4):
            await asyncio.sleep(0.1)
            yield number

    started_at = time.monotonic()
    for _ in iterate_in_background(slow()):
        time.sleep(0.1)
    assert time.monotonic() - started_at < 0.7
