"""Messages sent through the Messaging API, by day."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError
from tap_line.base.daily_stream import DailyStream, StatisticsStatus, date_param, statistics_status


class MessageDeliveries(DailyStream):
    """Number of messages sent through the Messaging API, by day and send method. Excludes the console."""

    description = "Number of messages sent through the Messaging API, by day and send method. Excludes the console."
    name = "message_deliveries"
    path = "/v2/bot/message/delivery/{type}"
    first_day = date(2018, 3, 31)
    primary_keys: ClassVar[tuple[str, ...]] = ("date", "type")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True, description="Day, in LINE's time zone (UTC+9)"),
        th.Property(
            "type",
            th.StringType,
            required=True,
            description="reply, push, multicast, broadcast, or pnp (to phone numbers; requires a contract)",
        ),
        th.Property("success", th.IntegerType, description="Number of messages sent; null if LINE does not report it"),
    ).to_dict()

    _TYPES: ClassVar[tuple[str, ...]] = ("reply", "push", "multicast", "broadcast", "pnp")

    def read_day(self, day: date) -> list[dict[str, Any]] | None:
        """Return a record per send method that LINE has figures of."""
        records = []
        for send_method in self._TYPES:
            try:
                response = self.fetch(self.path.format(type=send_method), {"date": date_param(day)})
            except (NotEntitledError, NotFoundError):
                continue
            status = statistics_status(response)
            if status is StatisticsStatus.UNREADY:
                return None
            if status is not StatisticsStatus.OUT_OF_SERVICE:
                success = response.json_object().get("success")
                records.append({"date": day.isoformat(), "type": send_method, "success": success})
        return records
