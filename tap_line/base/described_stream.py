"""Base class of all streams, whether they read LINE's API or the store."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from line_core.errors import LineError
from line_core.singer.hooks import StateHooks

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_line.base.services import StreamServices

StreamT = TypeVar("StreamT", bound="DescribedStream")


class DescribedStream(StateHooks):
    """A stream that is declared by class attributes.

    Column names are snake_case. Objects inside a column keep LINE's own field names. Every record has every column
    (null if there is no value), so that stream maps can refer to each column.
    """

    name: str = ""
    description: ClassVar[str] = ""
    """For catalogs and targets. It is the first line of the docstring, which `python -OO` removes."""
    schema: ClassVar[dict[str, Any]] = {"properties": {}}
    empty_record: ClassVar[dict[str, Any]] = {}
    """A record whose columns are all null."""
    has_custom_bookmarks: ClassVar[bool] = False
    """Whether the stream is incremental through `save_bookmarks` instead of a replication key value."""
    reads_only_store: ClassVar[bool] = False
    """Whether all records come from the store. A run of such streams only does not create a store."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Add the description to the schema, where catalogs and targets find it."""
        super().__init_subclass__(**kwargs)
        if "schema" in vars(cls):
            cls.empty_record = dict.fromkeys(cls.schema["properties"])
            cls.schema = {"description": cls.description, **cls.schema}

    @property
    def services(self) -> StreamServices:
        """The services of this stream's tap."""
        return cast("StreamServices", self.tap)

    def sibling(self, stream_class: type[StreamT]) -> StreamT:
        """Return another stream of the same tap, to read from it without writing its records."""
        return stream_class(self.tap)

    @property
    def replication_method(self) -> str:
        """INCREMENTAL with a replication key or custom bookmarks, else FULL_TABLE. The catalog can override it."""
        if self.has_custom_bookmarks and not self.forced_replication_method:
            return REPLICATION_INCREMENTAL
        return super().replication_method

    @property
    def is_incremental(self) -> bool:
        """Whether this run continues from the state."""
        return self.replication_method == REPLICATION_INCREMENTAL

    def advance_state(self, record: Record, context: Context | None) -> None:
        """Move the bookmark of the replication key, unless the stream has custom bookmarks."""
        if not self.has_custom_bookmarks:
            super().advance_state(record, context)

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return the record with all columns of the schema."""
        return {**self.empty_record, **(context or {}), **row}

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log a message, except the SDK's error log for an exception that the command reports at the end of the run."""
        if level == logging.ERROR and isinstance(sys.exception(), LineError | BrokenPipeError):
            return
        super().log(message, *args, level=level, **kwargs)

    def emit_state(self) -> None:
        """Write a STATE message after the buffered records."""
        super().emit_state()
        # The SDK skips a state that did not change. Buffered records must be flushed in that case too.
        self.services.message_writer.flush()

    def save_bookmarks(self, **bookmarks: Any) -> None:
        """Set bookmarks in this stream's state and emit the state. The value None removes a bookmark.

        Call it only after all records that the bookmarks cover have been yielded.
        """
        for name, value in bookmarks.items():
            if value is None:
                self.stream_state.pop(name, None)
            else:
                self.stream_state[name] = value
        self.mark_state_changed()
        # In batch mode the records are not in a BATCH message yet. The SDK emits the state after that message.
        if not self.get_batch_config(self.config):
            self.emit_state()
