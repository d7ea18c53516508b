"""Base class of the streams that read target-line's tables in the store."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_line.base.described_stream import DescribedStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context
    from sqlalchemy import ColumnElement, Select

_PAGE_SIZE = 1000
# A row becomes visible when its transaction commits, which can be some time after its timestamp.
_OVERLAP = timedelta(minutes=10)

CHANNEL_COLUMN = th.Property("channel", th.StringType, required=True, description="Name of the channel in target-line")


class StoreStream(DescribedStream):
    """A stream of rows by the time of their last change, starting 10 minutes before the time in the state."""

    replication_key = "updated_at"
    is_sorted = True
    check_sorted = False
    reads_only_store = True

    @abstractmethod
    def query(self) -> Select[Any]:
        """Return the query of all columns except `updated_at`, without ORDER BY."""

    @property
    @abstractmethod
    def changed_at(self) -> ColumnElement[datetime]:
        """Time of the row's last change."""

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield the records of all rows that changed after the time in the state, with the overlap."""
        query = self.query()
        if (channel := self.config.get("channel")) and "channel" in query.selected_columns:
            query = query.where(query.selected_columns.channel == channel)
        bookmark = self.stream_state.get("replication_key_value") if self.is_incremental else None
        if bookmark:
            query = query.where(self.changed_at >= datetime.fromisoformat(bookmark) - _OVERLAP)
        query = query.add_columns(self.changed_at.label("updated_at"))
        with self.services.store.read() as connection:
            rows = connection.execution_options(yield_per=_PAGE_SIZE).execute(query.order_by(self.changed_at))
            for row in rows.mappings():
                yield from self.records_from_row({name: _to_json(value) for name, value in row.items()})

    def records_from_row(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Yield the records of a row: the row itself, unless a subclass converts it."""
        yield row


def _to_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
