"""Base class of the streams of webhook events, read from the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.conform import TypeConformanceLevel

from line_core.errors import StoreError
from line_core.store.inbox import last_position, read_events
from line_core.store.inbox.readers import acknowledge, acknowledged_positions
from tap_line.base.described_stream import DescribedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.helpers.types import Context

    from line_core.store.inbox import InboxEvent

_PAGE_SIZE = 2000


class InboxStream(DescribedStream):
    """A stream of webhook events by inbox position, starting after the position in the state."""

    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "webhook_event_id")
    replication_key = "position"
    is_sorted = True
    reads_only_store = True
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # `to_record` returns only values that fit the schema
    event_types: ClassVar[tuple[str, ...]] = ()
    """Event types to read; empty for all types."""
    to_record: Callable[[InboxEvent], dict[str, Any]]

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield a record of each event after the position in the state."""
        channel = self.config.get("channel")
        position = self._start_position()
        while page := self._read_page(position):
            for event in page:
                if channel is None or event.channel == channel:
                    yield self.to_record(event)
            position = page[-1].position

    def _start_position(self) -> int:
        if not self.is_incremental:
            return 0
        if position := int(self.stream_state.get("replication_key_value") or 0):
            self._acknowledge(position)
        return position

    def _acknowledge(self, position: int) -> None:
        """Record that the target has stored all events up to a position, because the state contains it."""
        reader = f"{self.config['inbox_reader']} {self.name}"
        with self.services.store.write(lock="inbox") as connection:
            if last_position(connection) < position and reader not in acknowledged_positions(connection):
                raise StoreError(
                    f"the state says that {self.name} was read up to position {position}, which this store has not "
                    "reached yet: it is another store; reset the stream's state"
                )
            acknowledge(connection, reader, position)

    def _read_page(self, position: int) -> list[InboxEvent]:
        with self.services.store.read() as connection:
            return read_events(connection, position, _PAGE_SIZE, types=self.event_types)
