"""The followers of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import InvalidRequestError, NotEntitledError
from tap_line.base.api_stream import ApiStream
from tap_line.base.pagination import ContinuationPaginator
from tap_line.clock import now
from tap_line.follow_evidence.friendship import EvidenceSource
from tap_line.listing.listing_position import ListingPosition
from tap_line.listing.person_listing import FOLLOWERS_PATH, NOT_ENTITLED, PAGE_SIZE, TOKEN_EXPIRED, ProfileSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import requests
    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response


class Followers(ApiStream):
    """The followers: LINE's list for verified and premium accounts, else followers by the evidence in the store."""

    description = (
        "The followers: LINE's list for verified and premium accounts, else followers by the evidence in the store."
    )
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
            description="followers_api (LINE's list), webhook (a follow event) or profile_check (LINE has a profile)",
        ),
        th.Property("observed_at", th.DateTimeType, description="Time of the evidence"),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield LINE's list, or the followers by evidence if the account is not entitled to the list."""
        try:
            yield from super().read_records(context)
        except InvalidRequestError:
            if not self.stream_state.pop("scan", None):
                raise
            self.logger.warning(TOKEN_EXPIRED)
            yield from super().read_records(context)
        except NotEntitledError as error:
            self.logger.warning("%s. %s", NOT_ENTITLED, error)
            yield from self._followers_by_evidence()

    def get_new_paginator(self) -> ListingPaginator:
        """Return a paginator from the first page, or from the page where an interrupted run stopped."""
        saved = ListingPosition.from_bookmark(self.stream_state.get("scan"), now())
        # With ACTIVATE_VERSION, the target deletes the rows of the interrupted run. So the listing restarts.
        position = None if self.emit_activate_version_messages else saved
        return ListingPaginator(position or ListingPosition(now(), ProfileSource.FOLLOWERS), self._finish_page)

    def records_from_response(self, response: Response) -> Iterable[dict[str, Any]]:
        """Return the followers of a page, and record them in the store."""
        records = list(super().records_from_response(response))
        at = now()
        self.services.follow_evidence.record_listed([record["line_id"] for record in records], at)
        evidence = {"evidence": EvidenceSource.FOLLOWERS_API.value, "observed_at": at.isoformat()}
        return [{**record, **evidence} for record in records]

    def _finish_page(self, position: ListingPosition, next_position: ListingPosition | None) -> None:
        if next_position is None:
            unfollowed = self.services.follow_evidence.record_complete_list(position.started_at)
            self.logger.info("the list of followers is complete; %s unfollowed without an event", f"{unfollowed:,}")
        self.save_bookmarks(scan=next_position.to_bookmark(now()) if next_position else None)

    def _followers_by_evidence(self) -> Iterable[dict[str, Any]]:
        for line_id, friendship in self.services.follow_evidence.followers():
            yield {
                "line_id": line_id,
                "evidence": friendship.source,
                "observed_at": friendship.updated_at and friendship.updated_at.isoformat(),
            }


class ListingPaginator(ContinuationPaginator):
    """Follows continuation tokens from a listing position, and calls a function after each page."""

    def __init__(
        self,
        position: ListingPosition,
        on_page_end: Callable[[ListingPosition, ListingPosition | None], None],
    ) -> None:
        """Start at a position.

        Args:
            position: Position of the first page.
            on_page_end: Called after all records of a page have been written, with the position at which the paginator
                started and the position of the next page (None after the last page).
        """
        super().__init__(position.after)
        self._position = position
        self._on_page_end = on_page_end

    def advance(self, response: requests.Response) -> None:
        """Move to the next page, if there is one."""
        super().advance(response)
        next_position = None if self.finished else self._position.moved_to(ProfileSource.FOLLOWERS, self.current_value)
        self._on_page_end(self._position, next_position)
