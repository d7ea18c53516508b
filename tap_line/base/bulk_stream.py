"""Base class of the streams with one request per record: concurrent requests, ordered records, bounded memory."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_core.api import LineClient
from tap_line.background_iteration import iterate_in_background
from tap_line.base.api_stream import ApiStream
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition
from tap_line.progress_log import ProgressLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A GET request, and the fields of its records that are known before the response."""

    path: str
    known_fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BulkPage:
    """A page of requests, and the listing position after it (None after the last page)."""

    requests: list[BulkRequest]
    next_position: ListingPosition | None


@dataclass(slots=True)
class _PageInFlight:
    """A page whose requests have been started."""

    next_position: ListingPosition | None
    tasks: list[asyncio.Task[list[dict[str, Any]]]] = field(default_factory=list)

    async def records(self) -> list[dict[str, Any]]:
        """Wait for all responses and return their records, in the order of the requests."""
        return [record for records in await asyncio.gather(*self.tasks) for record in records]


class BulkStream(ApiStream):
    """A stream with many concurrent requests. An interrupted run continues at the page where it stopped."""

    has_custom_bookmarks = True

    @abstractmethod
    def start_position(self) -> ListingPosition:
        """Return the position at which a new listing starts."""

    @abstractmethod
    def pages(self, client: LineClient, position: ListingPosition) -> AsyncIterator[BulkPage]:
        """Yield the pages of requests from a position."""

    @abstractmethod
    def records_for(self, request: BulkRequest, response: Response) -> list[dict[str, Any]]:
        """Return the records of a response.

        Raises:
            ApiError: The response is an error that ends the run.
        """

    def expected_total(self) -> int | None:
        """Return the expected number of records, or None if it is unknown."""
        return None

    def bookmarks_after_page(
        self,
        records: list[dict[str, Any]],  # noqa: ARG002 - for subclasses
        next_position: ListingPosition | None,
    ) -> dict[str, Any]:
        """Return the bookmarks to save after the records of a page have been yielded."""
        return {"scan": next_position.to_bookmark(now()) if next_position else None}

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield records in the order of the requests, and save the position after each page."""
        position = ListingPosition.from_bookmark(self.stream_state.get("scan"), now()) or self.start_position()
        progress = ProgressLog(self.logger, self.name.replace("_", " "), self.expected_total())
        for records, next_position in iterate_in_background(self._pages_of_records(position)):
            yield from records
            progress.add(len(records))
            self.save_bookmarks(**self.bookmarks_after_page(records, next_position))
        self.save_bookmarks(scan=None)

    async def _pages_of_records(
        self, position: ListingPosition
    ) -> AsyncIterator[tuple[list[dict[str, Any]], ListingPosition | None]]:
        """Prefetch one page: start its requests before the previous page has finished."""
        in_flight: list[_PageInFlight] = []
        async with LineClient.from_config(self.config, self.services.tokens, self.services.rate_limiter) as client:
            try:
                async for page in self.pages(client, position):
                    started = _PageInFlight(page.next_position)
                    in_flight.append(started)
                    started.tasks.extend(asyncio.create_task(self._send(client, each)) for each in page.requests)
                    if len(in_flight) > 1:
                        yield await in_flight[0].records(), in_flight[0].next_position
                        del in_flight[0]
                for started in in_flight:
                    yield await started.records(), started.next_position
            finally:
                tasks = [task for started in in_flight for task in started.tasks]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, client: LineClient, request: BulkRequest) -> list[dict[str, Any]]:
        return self.records_for(request, await client.get(request.path))
