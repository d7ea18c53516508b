"""Daily figures: which days to read, and when to stop.

Source: LINE Messaging API reference, "Get number of friends", "Get number of sent push messages": dates are in UTC+9,
and a day's figures are ready about a day later.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from line_core.api.errors import MalformedResponseError
from line_core.errors import SettingError
from tap_line.base.api_stream import ApiStream
from tap_line.clock import line_date, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response

DEFAULT_DAYS = 30
_DAY = timedelta(days=1)


class Readiness(StrEnum):
    """What LINE says of a day's figures."""

    READY = "ready"
    UNREADY = "unready"
    """Not counted yet."""
    OUT_OF_SERVICE = "out_of_service"
    """Before LINE began to count."""
    UNAVAILABLE_FOR_PRIVACY = "unavailable_for_privacy"
    """Fewer than 20 people."""


class DailyStream(ApiStream):
    """Figures by day, each with its own request: from the day after the last that was read, until LINE has no more.

    Days of the last few are read again, since figures settle late.
    """

    own_state = True
    replication_key = "date"
    first_day: ClassVar[date]
    """The first day that LINE has figures of."""

    @abstractmethod
    def read_day(self, day: date) -> list[dict[str, Any]] | None:
        """A day's records: none if LINE has no figures of it, None if it has none yet."""

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """The records of all days that are ready and not settled before."""
        today = line_date(now())
        day = first_day_to_read(
            read_until=self._read_until(),
            start=start_date_of(self.config.get("start_date"), today),
            first=self.first_day,
            today=today,
            lookback_days=self.config["statistics_lookback_days"],
        )
        while (records := self.read_day(day)) is not None and (records or day < today):
            yield from records
            self.save(read_until=day.isoformat())
            day += _DAY

    def _read_until(self) -> date | None:
        mark = self.stream_state.get("read_until") if self.replication_method == "INCREMENTAL" else None
        return date.fromisoformat(mark) if mark else None


def first_day_to_read(*, read_until: date | None, start: date, first: date, today: date, lookback_days: int) -> date:
    """The day to begin with.

    Args:
        read_until: The last day that was read.
        start: The day to begin with if none was read.
        first: The first day that there is.
        today: Today, by LINE's clock.
        lookback_days: Figures of so many days before today may still change.
    """
    if read_until is None:
        return max(start, first)
    return max(first, min(read_until + _DAY, today - timedelta(days=lookback_days)))


def start_date_of(setting: object, today: date) -> date:
    """The day that the settings say to begin with; a time of day is ignored.

    Raises:
        SettingError: It is not a date.
    """
    if not setting:
        return today - timedelta(days=DEFAULT_DAYS)
    try:
        return date.fromisoformat(str(setting)[:10])
    except ValueError:
        raise SettingError("not a date of the form yyyy-mm-dd", setting="start_date") from None


def readiness_of(reply: Response) -> Readiness:
    """What LINE says of the figures that were asked for.

    Raises:
        MalformedResponseError: It says nothing of the kind.
    """
    status = str(reply.json_object().get("status"))
    try:
        return Readiness(status)
    except ValueError:
        raise MalformedResponseError.from_response(
            reply, message=f"LINE's answer has the unknown status {status!r}"
        ) from None


def line_day(day: date) -> str:
    """A day as LINE's query parameters have it."""
    return day.strftime("%Y%m%d")
