"""The monthly message quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.line_time import line_date
from tap_line.base.api_stream import ApiStream
from tap_line.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class MessageQuota(ApiStream):
    """The monthly message quota and its usage. One row per day, from the last run of the day."""

    description = "The monthly message quota and its usage. One row per day, from the last run of the day."
    name = "message_quota"
    path = "/v2/bot/message/quota"
    primary_keys: ClassVar[tuple[str, ...]] = ("date",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True, description="Day of the request, in LINE's time zone (UTC+9)"),
        th.Property("type", th.StringType, description="limited or none"),
        th.Property("value", th.IntegerType, description="Messages allowed this month; null if unlimited"),
        th.Property(
            "total_usage",
            th.IntegerType,
            description="Messages sent this month, also from the console; approximate, from LINE",
        ),
        th.Property("observed_at", th.DateTimeType, description="Time of the request"),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield the quota with its usage."""
        for quota in super().read_records(context):
            usage = self.fetch("/v2/bot/message/quota/consumption").json_object()
            at = now()
            yield {**quota, **usage, "date": line_date(at).isoformat(), "observed_at": at.isoformat()}
