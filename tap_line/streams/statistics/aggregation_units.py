"""Custom aggregation units (campaigns) and their interaction statistics.

Source: LINE Messaging API reference, "Get statistics per unit".
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.line_time import LINE_TIME, line_date
from tap_line.base.api_stream import ApiStream
from tap_line.base.daily_stream import date_param
from tap_line.base.interaction_statistics_stream import INTERACTION_COLUMNS, InteractionStatisticsStream
from tap_line.clock import now
from tap_line.queries.ledger import sent_campaigns
from tap_line.statistics_schedule import StatisticsItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.helpers.types import Context

_MONTH = th.Property("month", th.StringType, required=True, description="Month as yyyy-mm, in LINE's time zone (UTC+9)")


class AggregationUnits(ApiStream):
    """The custom aggregation units used in messages of this month. LINE does not list earlier months."""

    description = "The custom aggregation units used in messages of this month. LINE does not list earlier months."
    name = "aggregation_units"
    path = "/v2/bot/message/aggregation/list"
    records_key = "customAggregationUnits"
    id_column = "unit"
    page_size = 100
    primary_keys: ClassVar[tuple[str, ...]] = ("month", "unit")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _MONTH,
        th.Property("unit", th.StringType, required=True, description="Name of the unit"),
    ).to_dict()

    def names(self) -> list[str]:
        """Request the list and return the names of the units."""
        return [str(record["unit"]) for record in self.request_records(None)]

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield each unit with the current month."""
        month = _current_month()
        yield from ({**record, "month": month} for record in super().read_records(context))


class AggregationUnitUsage(ApiStream):
    """Number of custom aggregation units used in messages of this month. LINE ignores units beyond 1,000."""

    description = "Number of custom aggregation units used in messages of this month. LINE ignores units beyond 1,000."
    name = "aggregation_unit_usage"
    path = "/v2/bot/message/aggregation/info"
    primary_keys: ClassVar[tuple[str, ...]] = ("month",)
    renamed_fields: ClassVar[Mapping[str, str]] = {"numOfCustomAggregationUnits": "units"}
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _MONTH,
        th.Property("units", th.IntegerType, description="Number of different names used so far"),
        th.Property("observed_at", th.DateTimeType, description="Time of the request"),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield one record, with the current month."""
        for record in super().read_records(context):
            yield {**record, "month": _current_month(), "observed_at": now().isoformat()}


class UnitStatistics(InteractionStatisticsStream):
    """Opens, clicks and plays of each custom aggregation unit (campaign), by month of sending."""

    description = "Opens, clicks and plays of each custom aggregation unit (campaign), by month of sending."
    name = "unit_statistics"
    path = "/v2/bot/insight/message/event/aggregation"
    primary_keys: ClassVar[tuple[str, ...]] = ("unit", "from_date")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("unit", th.StringType, required=True, description="Name of the custom aggregation unit"),
        th.Property(
            "from_date", th.DateType, required=True, description="First day of sending, in LINE's time zone (UTC+9)"
        ),
        th.Property(
            "to_date",
            th.DateType,
            description="Last day of sending: the last day of the month, or the day of the request",
        ),
        *INTERACTION_COLUMNS,
    ).to_dict()

    def items(self) -> dict[StatisticsItem, dict[str, str]]:
        """Return the months of each campaign in the ledger, and this month of each unit in LINE's list."""
        today = line_date(now())
        months = {(unit, today.replace(day=1)) for unit in self.sibling(AggregationUnits).names()}
        for campaign in sent_campaigns(self.services.store, self.services.channel):
            first, last = line_date(campaign.first_sent_at), line_date(campaign.last_sent_at)
            months |= {(campaign.unit, month) for month in months_between(first, last)}
        return dict(self._item(unit, month, today) for unit, month in sorted(months))

    def _item(self, unit: str, month: date, today: date) -> tuple[StatisticsItem, dict[str, str]]:
        last_day = month.replace(day=monthrange(month.year, month.month)[1])
        sent_until = datetime.combine(last_day + timedelta(days=1), time(), LINE_TIME)
        params = {
            "customAggregationUnit": unit,
            "from": date_param(month),
            "to": date_param(min(last_day, today)),
        }
        return StatisticsItem(sent_until, f"{unit} {month.isoformat()}"), params

    def overview_record(self, item: StatisticsItem, overview: dict[str, Any]) -> dict[str, Any]:
        """Return the overview's fields, with unit and period."""
        unit, month = item.key.split(" ")
        last_day = min(line_date(item.sent_at) - timedelta(days=1), line_date(now()))
        return {**overview, "unit": unit, "from_date": month, "to_date": last_day.isoformat()}


def months_between(first: date, last: date) -> list[date]:
    """Return the first day of each month from the month of `first` to the month of `last`."""
    months = [first.replace(day=1)]
    while (following := (months[-1] + timedelta(days=32)).replace(day=1)) <= last:
        months.append(following)
    return months


def _current_month() -> str:
    return line_date(now()).strftime("%Y-%m")
