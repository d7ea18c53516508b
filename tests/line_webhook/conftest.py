from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.support.receiver_program import Connection, Receiver, running_receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def start_receiver(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    """Start receivers that end with the test; by default on an SQLite store."""
    with contextlib.ExitStack() as stack:

        def start(store_url: str = f"sqlite:///{tmp_path}/store.db", **settings: object) -> Receiver:
            return stack.enter_context(running_receiver(tmp_path, store_url, **settings))

        yield start


@pytest.fixture
def connect() -> Iterator[Callable[[Receiver], Connection]]:
    """Open connections that end with the test."""
    with contextlib.ExitStack() as stack:

        def to(receiver: Receiver) -> Connection:
            return stack.enter_context(Connection(receiver))

        yield to


@pytest.fixture
def receiver(start_receiver: Callable[..., Receiver]) -> Receiver:
    """A receiver with default settings on SQLite."""
    return start_receiver()
