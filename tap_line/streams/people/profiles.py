"""Profiles: one request to LINE for each person."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel

from line_core.api.errors import NotFoundError, error_from_response
from tap_line.base.bulk_stream import PerPersonStream
from tap_line.clock import now
from tap_line.follow_evidence.evidence_sql import Checks

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from line_core.api.response import Response
    from tap_line.base.bulk_stream import Question
    from tap_line.listing.listing_position import ListingPosition


class Profiles(PerPersonStream):
    """The profile of everybody the account can reach, and who cannot be reached any more."""

    name = "profiles"
    path = "/v2/bot/profile/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property(
            "is_reachable",
            th.BooleanType,
            description="Whether LINE gives the profile; false: blocked, left, or never a friend",
        ),
        th.Property("display_name", th.StringType, description="Name the person shows"),
        th.Property("picture_url", th.StringType, description="URL of the person's picture, if there is one"),
        th.Property("status_message", th.StringType, description="Status message, if there is one"),
        th.Property(
            "language",
            th.StringType,
            description="Language as a BCP 47 tag; null until the person accepted the privacy policy",
        ),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    @cached_property
    def _pipeline(self) -> str:
        """This pipeline's name in the store: another that reads the same store has not got what this one has."""
        name: str = self.stream_state.get("pipeline") or str(uuid.uuid4())
        return name

    async def to_ask(self, line_ids: list[str]) -> list[str]:
        """Leave out those whose profiles this pipeline has handed on not long ago."""
        days, until = self.config.get("refresh_profiles_after_days"), self.stream_state.get("checked_until")
        if not days or not until:
            return line_ids
        checks = Checks(self._pipeline, now() - timedelta(days=days), datetime.fromisoformat(until))
        fresh = await asyncio.to_thread(self.tap.friends.checked, line_ids, checks)
        return [line_id for line_id in line_ids if line_id not in fresh]

    def records_about(self, question: Question, reply: Response) -> list[dict[str, Any]]:
        """The profile, or that there is none any more."""
        error = error_from_response(reply, credentials_setting=self.tap.tokens.setting)
        if error and not isinstance(error, NotFoundError):
            raise error
        profile = {} if error else reply.json_object()
        return [
            {
                "line_id": question.known["userId"],
                "is_reachable": error is None,
                "display_name": profile.get("displayName"),
                "picture_url": profile.get("pictureUrl"),
                "status_message": profile.get("statusMessage"),
                "language": profile.get("language"),
                "observed_at": now().isoformat(),
            }
        ]

    def post_process(self, row: Record, context: Context | None = None) -> Record:  # noqa: ARG002 - the SDK's signature
        """Nothing: millions of records are made as they are to be."""
        return row

    def marks_after(self, records: list[dict[str, Any]], then: ListingPosition | None) -> dict[str, Any]:
        """Note the checks under a time that the state confirms for this page: what it never confirms is redone."""
        last = self.stream_state.get("checked_until")
        at = max(now(), datetime.fromisoformat(last) + timedelta(milliseconds=1)) if last else now()
        is_reachable = {record["line_id"]: record["is_reachable"] for record in records}
        self.tap.friends.note_checked(is_reachable, at, self._pipeline)
        return {
            **super().marks_after(records, then),
            "pipeline": self._pipeline,
            "checked_until": at.isoformat(),
        }
