from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.receiver_program import Connection, Receiver, running_receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def start_receiver(sqlite_url: str, tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    """A function that starts a receiver, by default with an SQLite store. The end of the test stops it."""
    with contextlib.ExitStack() as stack:

        def start(store_url: str = sqlite_url, **settings: Any) -> Receiver:
            return stack.enter_context(running_receiver(tmp_path, store_url, **settings))

        yield start


@pytest.fixture
def connect() -> Iterator[Callable[[Receiver], Connection]]:
    """A function that opens a TCP connection to a receiver. The end of the test closes it."""
    with contextlib.ExitStack() as stack:

        def connect_to(receiver: Receiver) -> Connection:
            return stack.enter_context(Connection(receiver))

        yield connect_to


@pytest.fixture
def receiver(start_receiver: Callable[..., Receiver]) -> Receiver:
    """A receiver with default settings and an SQLite store."""
    return start_receiver()
