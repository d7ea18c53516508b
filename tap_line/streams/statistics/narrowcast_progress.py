"""Progress of narrowcasts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotFoundError
from tap_line.base.api_stream import ApiStream
from tap_line.clock import now
from tap_line.queries.ledger import accepted_requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

_LINE_RETENTION = timedelta(days=14)


class NarrowcastProgress(ApiStream):
    """The progress of each narrowcast in the ledger from the last 14 days."""

    description = "The progress of each narrowcast in the ledger from the last 14 days."
    name = "narrowcast_progress"
    path = "/v2/bot/message/progress/narrowcast"
    primary_keys: ClassVar[tuple[str, ...]] = ("request_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("request_id", th.StringType, required=True, description="LINE's ID of the sending request"),
        th.Property("phase", th.StringType, description="waiting, sending, succeeded or failed"),
        th.Property("success_count", th.IntegerType, description="Number of people who received it"),
        th.Property("failure_count", th.IntegerType, description="Number of people to whom delivery failed"),
        th.Property("target_count", th.IntegerType, description="Number of recipients"),
        th.Property("failed_description", th.StringType, description="LINE's failure reason"),
        th.Property(
            "error_code",
            th.IntegerType,
            description="1 internal error, 2 too few recipients, 3 conflict, 4 audience of fewer than 50 people, "
            "5 no partial delivery",
        ),
        th.Property("accepted_time", th.DateTimeType, description="Time at which LINE accepted it"),
        th.Property("completed_time", th.DateTimeType, description="Time at which it completed"),
        th.Property("observed_at", th.DateTimeType, description="Time of the request"),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield a record per narrowcast. LINE keeps the progress for 14 days."""
        since = now() - _LINE_RETENTION
        for narrowcast in accepted_requests(self.services.store, self.services.channel, ("narrowcast",), since):
            try:
                progress = self.fetch(self.path, {"requestId": narrowcast.request_id}).json_object()
            except NotFoundError as error:
                self.logger.warning("LINE has no progress of a narrowcast: %s", error)
                continue
            yield {**progress, "requestId": narrowcast.request_id, "observed_at": now().isoformat()}
