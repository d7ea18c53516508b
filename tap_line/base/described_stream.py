"""What all streams share, whether they read LINE's API or the store."""

from __future__ import annotations

import inspect
import logging
import sys
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL

from line_core.errors import LineError
from line_core.singer.hooks import StateHooks

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

    from tap_line.tap import TapLine


class DescribedStream(StateHooks):
    """A stream that is declared by class attributes; its docstring is its description.

    Columns are snake_case. Objects inside a column are LINE's own, untouched. Every record has every column, null where
    there is nothing, so that stream maps can name them all.
    """

    name: str = ""
    schema: ClassVar[dict[str, Any]] = {"properties": {}}
    blank: ClassVar[dict[str, Any]] = {}
    """A record of nothing but nulls."""
    own_state: ClassVar[bool] = False
    """Whether the stream is incremental by marks of its own in the state, rather than by a replication key."""

    @property
    def tap(self) -> TapLine:
        """The tap, with the objects that its streams share."""
        return cast("TapLine", super().tap)

    @property
    def replication_method(self) -> str:
        """INCREMENTAL with a replication key or own marks, FULL_TABLE without, or what the catalog says."""
        if self.own_state and not self.forced_replication_method:
            return REPLICATION_INCREMENTAL
        return super().replication_method

    def advance_state(self, record: Record, context: Context | None) -> None:
        """Move the bookmark of the replication key, if the stream has one."""
        if not self.own_state:
            super().advance_state(record, context)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Put the description where catalogs and targets see it."""
        super().__init_subclass__(**kwargs)
        if "schema" in vars(cls):
            cls.blank = dict.fromkeys(cls.schema["properties"])
            cls.schema = {"description": inspect.cleandoc(cls.__doc__ or "").partition("\n")[0], **cls.schema}

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Give the record all columns."""
        return {**self.blank, **(context or {}), **row}

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log, unless it is the SDK's note that a user's error passed through: the command says it once, at the end."""
        if level == logging.ERROR and isinstance(sys.exception(), LineError | BrokenPipeError):
            return
        super().log(message, *args, level=level, **kwargs)

    def emit_state(self) -> None:
        """Write a STATE message, and the buffered records before it."""
        super().emit_state()
        # The SDK writes no state that it has written before, and records may wait for one.
        self.tap.message_writer.flush()

    def save(self, **marks: Any) -> None:
        """Note marks in this stream's state and emit it; None takes a mark away.

        Call it only when all records that the marks speak of have been yielded.
        """
        for name, value in marks.items():
            if value is None:
                self.stream_state.pop(name, None)
            else:
                self.stream_state[name] = value
        self.mark_state_changed()
        # In batch mode the records are in no BATCH message yet; the SDK emits the state after it.
        if not self.get_batch_config(self.config):
            self.emit_state()
