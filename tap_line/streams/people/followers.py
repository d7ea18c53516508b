"""The audience: who follows the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import InvalidRequestError, NotEntitledError
from tap_line.base.api_stream import ApiStream, ContinuationPaginator
from tap_line.clock import now
from tap_line.follow_evidence.friendship import Source
from tap_line.listing.listing_position import ListingPosition
from tap_line.listing.person_listing import FOLLOWERS_PATH, NOT_ENTITLED, PAGE_SIZE, ProfileSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import requests
    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response


class Followers(ApiStream):
    """Who follows the account: as LINE lists them for verified and premium accounts, else by evidence in the store."""

    name = "followers"
    path = FOLLOWERS_PATH
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    records_key = "userIds"
    page_size = PAGE_SIZE
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the follower"),
        th.Property(
            "evidence",
            th.StringType,
            description="How it is known: followers_api, webhook (a follow event) or profile_check (has a profile)",
        ),
        th.Property("observed_at", th.DateTimeType, description="When that was seen"),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """LINE's list, or what is known without it."""
        try:
            yield from super().read(context)
        except InvalidRequestError:
            if not self.stream_state.pop("scan", None):
                raise
            self.logger.warning("LINE does not take the continuation token any more: listing from the beginning")
            yield from super().read(context)
        except NotEntitledError as error:
            self.logger.warning("%s. %s", NOT_ENTITLED, error)
            yield from self._known_followers()

    def get_new_paginator(self) -> ScanPaginator:
        """From the first page, or where a killed run was."""
        resumed = ListingPosition.resumed(self.stream_state.get("scan"), now())
        # Rows of another run carry another version, and would be deleted.
        begun = None if self.emit_activate_version_messages else resumed
        return ScanPaginator(begun or ListingPosition(now(), ProfileSource.FOLLOWERS), self._page_done)

    def records_of(self, reply: Response) -> Iterable[dict[str, Any]]:
        """The followers on a page; the store is told of them."""
        records = list(super().records_of(reply))
        at = now()
        self.tap.friends.note_listed([record["line_id"] for record in records], at)
        seen = {"evidence": Source.FOLLOWERS_API.value, "observed_at": at.isoformat()}
        return [{**record, **seen} for record in records]

    def _page_done(self, scan: ListingPosition, rest: ListingPosition | None) -> None:
        if rest is None:
            missing = self.tap.friends.note_complete_list(scan.started_at)
            self.logger.info("the list of followers is complete; %s had left without an event", f"{missing:,}")
        self.save(scan=rest.mark(now()) if rest else None)

    def _known_followers(self) -> Iterable[dict[str, Any]]:
        for line_id, friendship in self.tap.friends.followers():
            yield {
                "line_id": line_id,
                "evidence": friendship.source,
                "observed_at": friendship.updated_at and friendship.updated_at.isoformat(),
            }


class ScanPaginator(ContinuationPaginator):
    """Follows a scan, and tells after each page how far it is."""

    def __init__(
        self, scan: ListingPosition, page_done: Callable[[ListingPosition, ListingPosition | None], None]
    ) -> None:
        """Go on where the scan is.

        Args:
            scan: The scan.
            page_done: Called when all records of a page have been written, with the scan and with the rest of it, which
                is None at its end.
        """
        super().__init__(scan.after)
        self._scan = scan
        self._page_done = page_done

    def advance(self, response: requests.Response) -> None:
        """Go to the next page, if there is one."""
        super().advance(response)
        rest = None if self.finished else self._scan.at(ProfileSource.FOLLOWERS, self.current_value)
        self._page_done(self._scan, rest)
