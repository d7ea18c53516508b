"""What all streams share, whether they read LINE's API or the store."""

from __future__ import annotations

import inspect
import logging
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream

from line_core.errors import LineError

if TYPE_CHECKING:
    from tap_line.tap import TapLine


class DescribedStream(Stream):
    """A stream that is declared by class attributes; its docstring is its description.

    Columns are snake_case. Objects inside a column are LINE's own, untouched.
    """

    schema: ClassVar[dict[str, Any]] = {"properties": {}}
    _tap: TapLine

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Put the description where catalogs and targets see it."""
        super().__init_subclass__(**kwargs)
        if "schema" in vars(cls):
            cls.schema = {"description": inspect.cleandoc(cls.__doc__ or "").partition("\n")[0], **cls.schema}

    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        """Log, unless it is the SDK's note that a user's error passed through: the command says it once, at the end."""
        if level == logging.ERROR and isinstance(sys.exception(), LineError):
            return
        super().log(message, *args, level=level, **kwargs)

    def save(self, **marks: Any) -> None:
        """Note marks in this stream's state and emit it; None takes a mark away.

        Call it only when all records that the marks speak of have been yielded.
        """
        for name, value in marks.items():
            if value is None:
                self.stream_state.pop(name, None)
            else:
                self.stream_state[name] = value
        self.state_manager.is_flushed = False
        # In batch mode the records are in no BATCH message yet; the SDK emits the state after it.
        if not self.get_batch_config(self.config):
            self._write_state_message()
