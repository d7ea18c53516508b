"""Base class of the statistics of opens, clicks and plays, which LINE revises for 14 days."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from line_core.api.errors import InvalidRequestError, NotFoundError
from tap_line.base.budgeted_stream import BudgetedStream
from tap_line.clock import now
from tap_line.statistics_schedule import ReadHistory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.helpers.types import Context

    from tap_line.statistics_schedule import StatisticsItem

_PRIVACY = "null if fewer than 20"

INTERACTION_COLUMNS = (
    th.Property("unique_impression", th.IntegerType, description=f"Number of people who opened it; {_PRIVACY}"),
    th.Property("unique_click", th.IntegerType, description=f"Number of people who opened a URL in it; {_PRIVACY}"),
    th.Property(
        "unique_media_played",
        th.IntegerType,
        description=f"Number of people who started a video or audio; {_PRIVACY}",
    ),
    th.Property(
        "unique_media_played_100_percent",
        th.IntegerType,
        description=f"Number of people who played a video or audio to the end; {_PRIVACY}",
    ),
    th.Property(
        "messages",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        description="Figures by message bubble (seq): impression, mediaPlayed, mediaPlayed25Percent … and their unique "
        f"counts; {_PRIVACY} people",
    ),
    th.Property(
        "clicks",
        th.ArrayType(th.ObjectType(additional_properties=True)),
        description="Figures by message bubble (seq) and URL: click, uniqueClick, uniqueClickOfRequest; "
        f"{_PRIVACY} people",
    ),
    th.Property("observed_at", th.DateTimeType, description="Time of the request; LINE revises figures for 14 days"),
)


class InteractionStatisticsStream(BudgetedStream):
    """Statistics that are read again until they are final. The least recently read statistics come first."""

    has_custom_bookmarks = True

    @abstractmethod
    def items(self) -> Mapping[StatisticsItem, dict[str, str]]:
        """Return all items, each with the query parameters of its request."""

    @abstractmethod
    def overview_record(self, item: StatisticsItem, overview: dict[str, Any]) -> dict[str, Any]:
        """Return the record's fields of the item and of the `overview` in LINE's response."""

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield a record of each item whose statistics can have changed since the last read."""
        items = self.items()
        history = ReadHistory.from_bookmark(self.stream_state.get("reads"))
        for item in history.due(items):
            at = now()
            try:
                body = self.fetch(self.path, items[item]).json_object()
            except (InvalidRequestError, NotFoundError) as error:
                self.logger.warning("LINE has no statistics: %s", error)
            else:
                yield {
                    **self.overview_record(item, body.get("overview") or {}),
                    "messages": body.get("messages"),
                    "clicks": body.get("clicks"),
                    "observed_at": at.isoformat(),
                }
            history = history.after_read(item, at, items)
            self.save_bookmarks(reads=history.to_bookmark())
