"""Profiles of people, with one request per person."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel

from line_core.api.errors import NotFoundError
from tap_line.base.per_person_stream import PerPersonStream
from tap_line.clock import now
from tap_line.follow_evidence.contacts_sql import ProfileChecks

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from line_core.api.response import Response
    from tap_line.base.bulk_stream import BulkRequest
    from tap_line.listing.listing_position import ListingPosition


class Profiles(PerPersonStream):
    """The profile of each person of `profile_source`, and whether the account can reach the person."""

    description = "The profile of each person of `profile_source`, and whether the account can reach the person."
    name = "profiles"
    path = "/v2/bot/profile/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # `records_for` returns only values that fit the schema
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property(
            "is_reachable",
            th.BooleanType,
            description="Whether LINE returns the profile; false: blocked, unfollowed, or never followed",
        ),
        th.Property("display_name", th.StringType, description="Display name of the person"),
        th.Property("picture_url", th.StringType, description="URL of the person's picture; null if there is none"),
        th.Property("status_message", th.StringType, description="Status message; null if there is none"),
        th.Property(
            "language",
            th.StringType,
            description="Language as a BCP 47 tag; null if the person has not accepted LINE's privacy policy",
        ),
        th.Property("observed_at", th.DateTimeType, description="Time of the request"),
    ).to_dict()

    @cached_property
    def _pipeline(self) -> str:
        """ID of this pipeline in the store. Profile checks of other pipelines did not reach this pipeline's target."""
        name: str = self.stream_state.get("pipeline") or str(uuid.uuid4())
        return name

    async def line_ids_to_request(self, line_ids: list[str]) -> list[str]:
        """Leave out people whose profile this pipeline has emitted within `refresh_profiles_after_days`."""
        days, checked_until = self.config.get("refresh_profiles_after_days"), self.stream_state.get("checked_until")
        if not days or not checked_until:
            return line_ids
        checks = ProfileChecks(self._pipeline, now() - timedelta(days=days), datetime.fromisoformat(checked_until))
        fresh = await asyncio.to_thread(self.services.follow_evidence.checked_people, line_ids, checks)
        return [line_id for line_id in line_ids if line_id not in fresh]

    def records_for(self, request: BulkRequest, response: Response) -> list[dict[str, Any]]:
        """Return the profile, or a record with `is_reachable` false if LINE has none."""
        error = self.error_in(response)
        if error and not isinstance(error, NotFoundError):
            raise error
        profile = {} if error else response.json_object()
        return [
            {
                "line_id": request.known_fields["userId"],
                "is_reachable": error is None,
                "display_name": profile.get("displayName"),
                "picture_url": profile.get("pictureUrl"),
                "status_message": profile.get("statusMessage"),
                "language": profile.get("language"),
                "observed_at": now().isoformat(),
            }
        ]

    def post_process(self, row: Record, context: Context | None = None) -> Record:  # noqa: ARG002 - the SDK's signature
        """Return the record unchanged: `records_for` sets all columns, which saves time for millions of records."""
        return row

    def bookmarks_after_page(
        self, records: list[dict[str, Any]], next_position: ListingPosition | None
    ) -> dict[str, Any]:
        """Record the page's profile checks, and return the bookmarks.

        The checks get the time `checked_until`, which is saved in the state together with this page. If the target does
        not confirm that state, the next run does not count these checks and requests the profiles again.
        """
        last = self.stream_state.get("checked_until")
        at = max(now(), datetime.fromisoformat(last) + timedelta(milliseconds=1)) if last else now()
        is_reachable = {record["line_id"]: record["is_reachable"] for record in records}
        self.services.follow_evidence.record_profile_checks(is_reachable, at, self._pipeline)
        return {
            **super().bookmarks_after_page(records, next_position),
            "pipeline": self._pipeline,
            "checked_until": at.isoformat(),
        }
