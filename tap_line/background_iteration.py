"""Run asyncio work beside a plain iterator: LINE keeps answering while the records of the last page are written."""

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
    """Iterate over an async generator that runs on an event loop in a thread of its own.

    One item is made ready while another is used; then the source is held up, but the requests that it has under way are
    not. However the iteration ends, the source is closed before the caller goes on.
    """
    with _loop() as loop:
        coming = asyncio.run_coroutine_threadsafe(_next(source), loop)
        while (item := coming.result()) is not _END:
            coming = asyncio.run_coroutine_threadsafe(_next(source), loop)
            yield item  # type: ignore[misc]  # not the end


async def _next(source: AsyncIterator[T]) -> T | object:
    return await anext(source, _END)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    # Else a full collection goes through all that was ever imported: a tenth of a second in which no request is sent.
    gc.freeze()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="line-background", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
