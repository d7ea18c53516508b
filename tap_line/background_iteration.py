"""Iterate over an async generator from synchronous code, with the event loop in a separate thread.

Requests to LINE continue while the records of the previous page are written.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

T = TypeVar("T")

_END = object()


def iterate_in_background(source: AsyncIterator[T]) -> Iterator[T]:
    """Yield the items of an async generator that runs in a separate thread.

    One item is prefetched while the caller uses the previous item. Tasks that the generator has started continue to
    run. The generator is closed before this iterator ends, also after an error or an early stop.
    """
    with _running_loop() as loop:
        prefetched = asyncio.run_coroutine_threadsafe(_next(source), loop)
        while (item := prefetched.result()) is not _END:
            prefetched = asyncio.run_coroutine_threadsafe(_next(source), loop)
            yield item  # type: ignore[misc]  # not the end


async def _next(source: AsyncIterator[T]) -> T | object:
    return await anext(source, _END)


@contextmanager
def _running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    # Without this, a full garbage collection visits all imported modules: about 0.1 s without requests.
    gc.freeze()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="line-background", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_tasks(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
