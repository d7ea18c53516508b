"""The inbox: what people did, as the webhook receiver stored it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from singer_sdk.helpers.conform import TypeConformanceLevel
from sqlalchemy import func, select

from line_core.errors import StoreError
from line_core.store.inbox import read_events
from line_core.store.inbox.readers import acknowledge, acknowledged_positions
from line_core.store.tables.inbox import events
from tap_line.base.described_stream import DescribedStream
from tap_line.event_records.event_record import COLUMNS, IDENTITY, event_record, follow_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from singer_sdk.helpers.types import Context

    from line_core.store.inbox import InboxEvent

_PAGE_SIZE = 2000


class InboxStream(DescribedStream):
    """A stream of webhook events in the order of their positions, from the last position on."""

    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "webhook_event_id")
    replication_key = "position"
    is_sorted = True
    TYPE_CONFORMANCE_LEVEL = (
        TypeConformanceLevel.NONE
    )  # `tap_line.event_records.event_record` makes nothing but what the schema says
    types: ClassVar[tuple[str, ...]] = ()
    """Event types; empty for all."""
    record_of: Callable[[InboxEvent], dict[str, Any]]

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """The events after the state's position, each as a record."""
        channel = self.config.get("channel")
        position = self._first_position()
        while page := self._read(position):
            for event in page:
                if channel is None or event.channel == channel:
                    yield self.record_of(event)
            position = page[-1].position

    def _first_position(self) -> int:
        if self.replication_method != "INCREMENTAL":
            return 0
        if position := int(self.stream_state.get("replication_key_value") or 0):
            self._acknowledge(position)
        return position

    def _acknowledge(self, position: int) -> None:
        """Note that the target of the run before has everything up to here, since the state says so."""
        reader = f"{self.config['inbox_reader']} {self.name}"
        with self.tap.store.write(lock="inbox") as connection:
            last = connection.scalar(select(func.max(events.c.position))) or 0
            if last < position and reader not in acknowledged_positions(connection):
                raise StoreError(
                    f"the state says that {self.name} was read up to position {position}, which this store has not "
                    "reached yet: it is another store; reset the stream's state"
                )
            acknowledge(connection, reader, position)

    def _read(self, position: int) -> list[InboxEvent]:
        with self.tap.store.read() as connection:
            return read_events(connection, position, _PAGE_SIZE, types=self.types)


class Events(InboxStream):
    """Every webhook event received, once: common columns, those of the common types, and the whole payload."""

    name = "events"
    record_of = staticmethod(event_record)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(*COLUMNS).to_dict()


class Follows(InboxStream):
    """Who added, blocked or unblocked the account, and when: the follow and unfollow events."""

    name = "follows"
    types = ("follow", "unfollow")
    record_of = staticmethod(follow_record)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *IDENTITY,
        th.Property(
            "is_unblocked",
            th.BooleanType,
            description="Of a follow: whether a block was lifted, rather than a friend added; LINE calls it not exact",
        ),
    ).to_dict()
