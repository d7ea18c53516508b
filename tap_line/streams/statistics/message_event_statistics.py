"""Campaigns: what became of messages after they were sent."""

from __future__ import annotations

from abc import abstractmethod
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import InvalidRequestError, NotFoundError
from tap_line.base.api_stream import ApiStream
from tap_line.base.budgeted_stream import BudgetedStream
from tap_line.base.daily_stream import line_day
from tap_line.clock import LINE_TIME, line_date, now
from tap_line.queries.ledger import campaigns, sent_requests
from tap_line.statistics_schedule import Moving, Reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.helpers.types import Context

_PRIVATE = "null below 20 people"
_OPENED = (
    th.Property("unique_impression", th.IntegerType, description=f"People who opened it; {_PRIVATE}"),
    th.Property("unique_click", th.IntegerType, description=f"People who opened a URL in it; {_PRIVATE}"),
    th.Property("unique_media_played", th.IntegerType, description=f"People who began a video or audio; {_PRIVATE}"),
    th.Property(
        "unique_media_played_100_percent",
        th.IntegerType,
        description=f"People who played a video or audio to its end; {_PRIVATE}",
    ),
)
_BUBBLES = (
    th.Property(
        "messages",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        description="By bubble (seq): impression, mediaPlayed, mediaPlayed25Percent … and their unique counts; "
        f"{_PRIVATE}",
    ),
    th.Property(
        "clicks",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        description=f"By bubble (seq) and url: click, uniqueClick, uniqueClickOfRequest; {_PRIVATE}",
    ),
    th.Property("observed_at", th.DateTimeType, description="When LINE was asked; figures move for 14 days"),
)


class MovingStream(BudgetedStream):
    """Figures that are read again until they freeze, within the budget: what was read the longest ago comes first."""

    own_state = True

    @abstractmethod
    def figures(self) -> Mapping[Moving, dict[str, str]]:
        """All there are, each with the query parameters to ask for it."""

    @abstractmethod
    def record_of(self, figures: Moving, body: dict[str, Any]) -> dict[str, Any]:
        """The record of LINE's answer, with LINE's own names."""

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """All that may have moved since it was read."""
        all_figures = self.figures()
        reads = Reads.from_mark(self.stream_state.get("reads"))
        for each in reads.due(all_figures):
            at = now()
            try:
                body = self.fetch(self.path, all_figures[each]).json_object()
            except (InvalidRequestError, NotFoundError) as error:
                self.logger.warning("LINE has no statistics here: %s", error)
            else:
                yield {**self.record_of(each, body), "observed_at": at.isoformat()}
            reads = reads.after(each, at, all_figures)
            self.save(reads=reads.mark())


class MessageEventStatistics(MovingStream):
    """Opens, clicks and plays of each broadcast and narrowcast in the ledger."""

    name = "message_event_statistics"
    path = "/v2/bot/insight/message/event"
    primary_keys: ClassVar[tuple[str, ...]] = ("request_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("request_id", th.StringType, required=True, description="LINE's id of the request that sent it"),
        th.Property("sent_at", th.DateTimeType, description="When LINE delivered it"),
        th.Property("delivered", th.IntegerType, description="Messages delivered; null until all are"),
        *_OPENED,
        *_BUBBLES,
    ).to_dict()

    def figures(self) -> dict[Moving, dict[str, str]]:
        """The requests that the ledger says were accepted."""
        sent = sent_requests(self.tap.store, self.tap.channel, ("broadcast", "narrowcast"))
        return {Moving(each.accepted_at, each.request_id): {"requestId": each.request_id} for each in sent}

    def record_of(self, figures: Moving, body: dict[str, Any]) -> dict[str, Any]:
        """The overview, with bubbles and clicks."""
        overview = dict(body.get("overview") or {})
        at = overview.pop("timestamp", None)
        return {
            **overview,
            "requestId": figures.key,
            "sent_at": datetime.fromtimestamp(at, UTC).isoformat() if at else None,
            "messages": body.get("messages"),
            "clicks": body.get("clicks"),
        }


class UnitStatistics(MovingStream):
    """Opens, clicks and plays of each campaign (custom aggregation unit), by the month in which messages were sent."""

    name = "unit_statistics"
    path = "/v2/bot/insight/message/event/aggregation"
    primary_keys: ClassVar[tuple[str, ...]] = ("unit", "from_date")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("unit", th.StringType, required=True, description="Name of the custom aggregation unit"),
        th.Property(
            "from_date", th.DateType, required=True, description="First day of sending, in LINE's time zone (UTC+9)"
        ),
        th.Property(
            "to_date", th.DateType, description="Last day of sending: the month's last, or the day of the look"
        ),
        *_OPENED,
        *_BUBBLES,
    ).to_dict()

    def figures(self) -> dict[Moving, dict[str, str]]:
        """The months of each campaign in the ledger, and this month of each unit that LINE lists."""
        today = line_date(now())
        months = {(unit, today.replace(day=1)) for unit in AggregationUnits(self.tap).names()}
        for campaign in campaigns(self.tap.store, self.tap.channel):
            first, last = line_date(campaign.first_sent_at), line_date(campaign.last_sent_at)
            months |= {(campaign.unit, month) for month in months_between(first, last)}
        return dict(self._month(unit, month, today) for unit, month in sorted(months))

    def _month(self, unit: str, month: date, today: date) -> tuple[Moving, dict[str, str]]:
        end = month.replace(day=monthrange(month.year, month.month)[1])
        sent_until = datetime.combine(end + timedelta(days=1), time(), LINE_TIME)
        params = {"customAggregationUnit": unit, "from": line_day(month), "to": line_day(min(end, today))}
        return Moving(sent_until, f"{unit} {month.isoformat()}"), params

    def record_of(self, figures: Moving, body: dict[str, Any]) -> dict[str, Any]:
        """The overview, with bubbles and clicks."""
        unit, month = figures.key.split(" ")
        end = min(line_date(figures.sent_at) - timedelta(days=1), line_date(now()))
        return {
            **(body.get("overview") or {}),
            "unit": unit,
            "from_date": month,
            "to_date": end.isoformat(),
            "messages": body.get("messages"),
            "clicks": body.get("clicks"),
        }


class AggregationUnits(ApiStream):
    """The custom aggregation units that messages were given this month; LINE lists no earlier ones."""

    name = "aggregation_units"
    path = "/v2/bot/message/aggregation/list"
    records_key = "customAggregationUnits"
    id_column = "unit"
    page_size = 100
    primary_keys: ClassVar[tuple[str, ...]] = ("month", "unit")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("month", th.StringType, required=True, description="Month as yyyy-mm, in LINE's time zone (UTC+9)"),
        th.Property("unit", th.StringType, required=True, description="Name of the unit"),
    ).to_dict()

    def names(self) -> list[str]:
        """The names alone."""
        return [str(record["unit"]) for record in self.request_records(None)]

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Each unit, with the month."""
        month = _this_month()
        yield from ({**record, "month": month} for record in super().read(context))


class AggregationUnitUsage(ApiStream):
    """How many custom aggregation units messages were given this month; LINE drops units beyond 1,000."""

    name = "aggregation_unit_usage"
    path = "/v2/bot/message/aggregation/info"
    primary_keys: ClassVar[tuple[str, ...]] = ("month",)
    renamed: ClassVar[Mapping[str, str]] = {"numOfCustomAggregationUnits": "units"}
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("month", th.StringType, required=True, description="Month as yyyy-mm, in LINE's time zone (UTC+9)"),
        th.Property("units", th.IntegerType, description="Different names given so far"),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The one record."""
        for record in super().read(context):
            yield {**record, "month": _this_month(), "observed_at": now().isoformat()}


class NarrowcastProgress(ApiStream):
    """How far each narrowcast of the last 14 days in the ledger is."""

    name = "narrowcast_progress"
    path = "/v2/bot/message/progress/narrowcast"
    primary_keys: ClassVar[tuple[str, ...]] = ("request_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("request_id", th.StringType, required=True, description="LINE's id of the request that sent it"),
        th.Property("phase", th.StringType, description="waiting, sending, succeeded or failed"),
        th.Property("success_count", th.IntegerType, description="People it was delivered to"),
        th.Property("failure_count", th.IntegerType, description="People it could not be delivered to"),
        th.Property("target_count", th.IntegerType, description="People it is for"),
        th.Property("failed_description", th.StringType, description="Why it failed, in LINE's words"),
        th.Property(
            "error_code",
            th.IntegerType,
            description="1 internal, 2 too few recipients, 3 conflict, 4 an audience below 50, 5 no partial delivery",
        ),
        th.Property("accepted_time", th.DateTimeType, description="When LINE accepted it"),
        th.Property("completed_time", th.DateTimeType, description="When it ended"),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """A record for each; LINE forgets them after 14 days."""
        since = now() - timedelta(days=14)
        for sent in sent_requests(self.tap.store, self.tap.channel, ("narrowcast",), since):
            try:
                progress = self.fetch(self.path, {"requestId": sent.request_id}).json_object()
            except NotFoundError as error:
                self.logger.warning("LINE knows nothing of a narrowcast: %s", error)
                continue
            yield {**progress, "requestId": sent.request_id, "observed_at": now().isoformat()}


def months_between(first: date, last: date) -> list[date]:
    """First days of the months from one day's to another's."""
    months = [first.replace(day=1)]
    while (following := (months[-1] + timedelta(days=32)).replace(day=1)) <= last:
        months.append(following)
    return months


def _this_month() -> str:
    return line_date(now()).strftime("%Y-%m")
