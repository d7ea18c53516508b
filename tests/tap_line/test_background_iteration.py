"""An async generator runs in the background of a plain loop, and ends with it."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tap_line.background_iteration import iterate_in_background

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def count_to(last: int, ended: list[str]) -> AsyncIterator[int]:
    try:
        for number in range(1, last + 1):
            await asyncio.sleep(0)
            yield number
    finally:
        await asyncio.sleep(0)
        ended.append("ended")


def test_items_come_in_order_and_the_source_is_closed() -> None:
    ended: list[str] = []
    assert list(iterate_in_background(count_to(100, ended))) == list(range(1, 101))
    assert ended == ["ended"]


def test_a_caller_that_stops_early_closes_the_source_and_leaves_no_thread() -> None:
    ended: list[str] = []
    numbers = iterate_in_background(count_to(1000, ended))
    assert next(numbers) == 1
    numbers.close()  # type: ignore[attr-defined]  # a generator
    assert ended == ["ended"]
    assert "line-background" not in {thread.name for thread in threading.enumerate()}


def test_an_error_of_the_source_reaches_the_caller_after_the_items_before_it() -> None:
    async def fail() -> AsyncIterator[int]:
        yield 1
        raise ValueError("no more")

    numbers = iterate_in_background(fail())
    assert next(numbers) == 1
    with pytest.raises(ValueError, match="no more"):
        next(numbers)


def test_the_next_item_is_made_while_one_is_used() -> None:
    async def slow() -> AsyncIterator[int]:
        for number in range(4):
            await asyncio.sleep(0.1)
            yield number

    began = time.monotonic()
    for _ in iterate_in_background(slow()):
        time.sleep(0.1)
    assert time.monotonic() - began < 0.7
