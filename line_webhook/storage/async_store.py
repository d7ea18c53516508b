"""Use the store from the event loop; all calls run in the thread of the group commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from line_core.store import Store

Result = TypeVar("Result")


class ThreadCall(Protocol):
    """Runs a function in a thread; see `GroupCommitThread.call`."""

    async def __call__(self, function: Callable[[], Result]) -> Result:
        """Return or raise the function's result."""


class AsyncStore:
    """Runs functions against the store without blocking the event loop."""

    def __init__(self, store: Store, call: ThreadCall) -> None:
        self._store = store
        self.call = call
        """Runs a function that opens its own transactions."""

    async def read(self, function: Callable[[Connection], Result]) -> Result:
        """Run a function in a read transaction.

        Raises:
            StoreError: The store cannot be read.
        """

        def run() -> Result:
            with self._store.read() as connection:
                return function(connection)

        return await self.call(run)

    async def write(self, function: Callable[[Connection], Result]) -> Result:
        """Run a function in a write transaction.

        Raises:
            StoreError: The store cannot be written.
        """

        def run() -> Result:
            with self._store.write() as connection:
                return function(connection)

        return await self.call(run)
