"""Base class of the daily statistics, and the rules for the first and the last day to read.

Source: LINE Messaging API reference, "Get number of friends", "Get number of sent push messages". Dates are in UTC+9.
The figures of a day are ready about one day later.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from line_core.api.errors import MalformedResponseError
from line_core.errors import SettingError
from line_core.line_time import line_date
from tap_line.base.api_stream import ApiStream
from tap_line.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response

DEFAULT_DAYS = 30
"""Days before the first run at which the statistics begin, without the setting `start_date`."""

_DAY = timedelta(days=1)


class StatisticsStatus(StrEnum):
    """LINE's status of a day's figures."""

    READY = "ready"
    UNREADY = "unready"
    """Not calculated yet."""
    OUT_OF_SERVICE = "out_of_service"
    """The day is before the start of LINE's records."""
    UNAVAILABLE_FOR_PRIVACY = "unavailable_for_privacy"
    """Fewer than 20 people."""


class DailyStream(ApiStream):
    """Statistics by day, with one request per day, from the last day read until LINE has no figures yet.

    The last days (setting `statistics_lookback_days`) are read again, because their figures can still change.
    """

    has_custom_bookmarks = True
    replication_key = "date"
    first_day: ClassVar[date]
    """The first day of LINE's records."""

    @abstractmethod
    def read_day(self, day: date) -> list[dict[str, Any]] | None:
        """Return a day's records, an empty list if LINE has no figures, or None if they are not calculated yet."""

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield the records of all days whose figures are ready, and save the last day read."""
        today = line_date(now())
        day = first_day_to_read(
            last_day_read=self._last_day_read(),
            start=parse_start_date(self.config.get("start_date"), today),
            first_available=self.first_day,
            today=today,
            lookback_days=self.config["statistics_lookback_days"],
        )
        while (records := self.read_day(day)) is not None and (records or day < today):
            yield from records
            self.save_bookmarks(read_until=day.isoformat())
            day += _DAY

    def _last_day_read(self) -> date | None:
        bookmark = self.stream_state.get("read_until") if self.is_incremental else None
        return date.fromisoformat(bookmark) if bookmark else None


def first_day_to_read(
    *, last_day_read: date | None, start: date, first_available: date, today: date, lookback_days: int
) -> date:
    """Return the day at which a run starts.

    Args:
        last_day_read: The last day that an earlier run read.
        start: The start day if no day was read before.
        first_available: The first day of LINE's records.
        today: Today in LINE's time zone.
        lookback_days: Number of days before today whose figures can still change.
    """
    if last_day_read is None:
        return max(start, first_available)
    return max(first_available, min(last_day_read + _DAY, today - timedelta(days=lookback_days)))


def parse_start_date(setting: object, today: date) -> date:
    """Return the date of the setting `start_date`, without its time of day, or the default.

    Raises:
        SettingError: The setting is not a date.
    """
    if not setting:
        return today - timedelta(days=DEFAULT_DAYS)
    try:
        return date.fromisoformat(str(setting)[:10])
    except ValueError:
        raise SettingError("not a date of the form yyyy-mm-dd", setting="start_date") from None


def statistics_status(response: Response) -> StatisticsStatus:
    """Return the status of the requested figures.

    Raises:
        MalformedResponseError: The status is missing or unknown.
    """
    status = str(response.json_object().get("status"))
    try:
        return StatisticsStatus(status)
    except ValueError:
        raise MalformedResponseError.from_response(
            response, message=f"LINE's response has the unknown status {status!r}"
        ) from None


def date_param(day: date) -> str:
    """Format a day for LINE's query parameters (yyyymmdd)."""
    return day.strftime("%Y%m%d")
