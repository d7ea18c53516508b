"""The audience: who follows the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError
from tap_line.client import ContinuationPaginator, LineStream
from tap_line.clock import now
from tap_line.people import FOLLOWERS, FOLLOWERS_PATH, PAGE_SIZE, not_entitled
from tap_line.scan import Scan

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from singer_sdk.helpers.types import Context, Record


class Followers(LineStream):
    """The LINE IDs that follow the account; LINE lists them for verified and premium accounts only."""

    name = "followers"
    path = FOLLOWERS_PATH
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    records_key = "userIds"
    page_size = PAGE_SIZE
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the follower"),
        th.Property("evidence", th.StringType, description="How it is known: followers_api"),
        th.Property("observed_at", th.DateTimeType, description="When that was seen"),
    ).to_dict()

    def get_new_paginator(self) -> ScanPaginator:
        """From the first page, or where a killed run was."""
        scan = Scan.begin_or_resume(self.stream_state.get("scan"), FOLLOWERS, now())
        return ScanPaginator(scan, lambda then: self.save(scan=then.mark(now()) if then else None))

    def validate_response(self, response: requests.Response) -> None:
        """Say which accounts may list their followers, if this one may not."""
        try:
            super().validate_response(response)
        except NotEntitledError:
            raise not_entitled(self.reply_of(response)) from None

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:  # noqa: ARG002 - the SDK's signature
        """Say how and when the follower was seen."""
        return {**row, "evidence": "followers_api", "observed_at": now().isoformat()}


class ScanPaginator(ContinuationPaginator):
    """Follows a scan, and has its place saved after each page."""

    def __init__(self, scan: Scan, save: Callable[[Scan | None], None]) -> None:
        """Go on where the scan is.

        Args:
            scan: The scan.
            save: Called when all records of a page have been written, with the rest of the scan or None at its end.
        """
        super().__init__(scan.after)
        self._scan = scan
        self._save = save

    def advance(self, response: requests.Response) -> None:
        """Go to the next page, if there is one."""
        super().advance(response)
        self._save(None if self.finished else self._scan.at(FOLLOWERS, self.current_value))
