"""Base class of the streams with one request per person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_line.base.bulk_stream import BulkPage, BulkRequest, BulkStream
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition
from tap_line.listing.person_listing import PersonListing, ProfileSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from line_core.api.client import LineClient


class PerPersonStream(BulkStream):
    """A stream that sends one request per person to `path`, which contains `{line_id}`."""

    def start_position(self) -> ListingPosition:
        """Return the start of the first list that the setting `profile_source` names."""
        first = ProfileSource.INBOX if self._source is ProfileSource.INBOX else ProfileSource.FOLLOWERS
        return ListingPosition(now(), first)

    async def pages(self, client: LineClient, position: ListingPosition) -> AsyncIterator[BulkPage]:
        """Yield a request per person, in pages of up to 1,000."""
        async for people in PersonListing(self._source, client, self.services.follow_evidence).pages(position):
            line_ids = await self.line_ids_to_request(people.line_ids)
            requests = [BulkRequest(self.path.format(line_id=line_id), {"userId": line_id}) for line_id in line_ids]
            yield BulkPage(requests, people.next_position)

    async def line_ids_to_request(self, line_ids: list[str]) -> list[str]:
        """Return the LINE IDs of a page that need a request. Subclasses can leave some out."""
        return line_ids

    def expected_total(self) -> int:
        """Return the number of people that earlier runs listed or found."""
        return self.services.follow_evidence.count_contacts(listed=self._source is ProfileSource.FOLLOWERS)

    @property
    def _source(self) -> ProfileSource:
        return ProfileSource(self.config["profile_source"])
