"""Base classes that give private extension points of the Singer SDK public names.

The tap and the target override only public methods. Private names of the SDK are used in this package alone;
`tests/line_core/singer/test_sdk_private_names.py` lists them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import RESTStream, Stream, Target
from singer_sdk.sinks import BatchSink

if TYPE_CHECKING:
    from types import FrameType

    import requests
    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.sinks import Sink


class StateHooks(Stream):
    """A stream with public names for its tap, and for advancing and emitting its state."""

    @property
    def tap(self) -> Tap:
        """The tap that the stream belongs to."""
        return self._tap

    def advance_state(self, record: Record, context: Context | None) -> None:
        """Advance the state after a record was written. The default moves the bookmark of the replication key."""
        super()._increment_stream_state(record, context=context)

    def emit_state(self) -> None:
        """Write a STATE message, unless the state has not changed since the last one."""
        super()._write_state_message()

    def mark_state_changed(self) -> None:
        """Make the next `emit_state` write a STATE message. Needed after a direct change of `stream_state`."""
        self.state_manager.is_flushed = False

    def _increment_stream_state(self, latest_record: Record, *, context: Context | None = None) -> None:
        self.advance_state(latest_record, context)

    def _write_state_message(self) -> None:
        self.emit_state()


class RequestHooks(RESTStream[str]):
    """A REST stream with a public method that sends one request."""

    def send(self, request: requests.PreparedRequest, context: Context | None) -> requests.Response:
        """Send a request once and return its response."""
        return super()._request(request, context)

    def _request(self, prepared_request: requests.PreparedRequest, context: Context | None) -> requests.Response:
        return self.send(prepared_request, context)


class UnvalidatedSink(BatchSink):
    """A sink that gets records unchanged. The SDK does not validate them, and does not convert timestamps.

    The SDK ends the run at the first invalid record, or at a record without its key. Subclasses of this sink can reject
    such records one by one.
    """

    def get_validator(self) -> None:
        """Disable the SDK's validation against the schema of the stream."""

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Disable the SDK's check that a record has its key properties."""

    def _parse_timestamps_in_record(self, record: dict[str, Any], schema: dict[str, Any], treatment: object) -> None:
        """Disable the SDK's conversion of timestamps."""


class TargetHooks(Target):
    """A target with public methods for signals and for each type of Singer message."""

    def handle_signal(self, number: int) -> None:
        """Handle SIGINT or SIGTERM. The default drains all sinks and exits."""
        super()._handle_termination(number, None)

    def write_state(self, state: dict[str, Any]) -> None:
        """Write a STATE message, after all sinks were drained."""
        super()._write_state_message(state)

    def process_schema_message(self, message: dict[str, Any]) -> None:
        """Process a SCHEMA message. The default ends the run with any exception if the schema is unusual."""
        super()._process_schema_message(message)

    def process_record_message(self, message: dict[str, Any]) -> None:
        """Process a RECORD message. The default ends the run if a stream map fails."""
        super()._process_record_message(message)

    def process_batch_message(self, message: dict[str, Any]) -> None:
        """Process a BATCH message. The default passes the records to the sink without its `process_record`."""
        super()._process_batch_message(message)

    def process_activate_version_message(self, message: dict[str, Any]) -> None:
        """Process an ACTIVATE_VERSION message. The default fails if the stream has no schema yet."""
        super()._process_activate_version_message(message)

    def add_record(self, sink: Sink, record: Any) -> None:  # noqa: ANN401 - what the sink's process_record accepts
        """Pass a record to a sink unchanged, and drain the sink if its batch is full."""
        context = sink._get_context(record)  # noqa: SLF001 - this module gives it a public name
        sink.tally_record_read()
        sink.process_record(record, context)
        sink.record_counter_metric.increment()
        sink._after_process_record(context)  # noqa: SLF001 - this module gives it a public name
        if sink.is_full:
            self.drain_one(sink)

    def drain_old_records(self) -> None:
        """Drain all sinks if the oldest record is older than the SDK's limit."""
        super()._handle_max_record_age()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the SDK's signature
        self.handle_signal(signum)

    def _write_state_message(self, state: dict[str, Any]) -> None:
        self.write_state(state)

    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        self.process_schema_message(message_dict)

    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        self.process_record_message(message_dict)

    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        self.process_batch_message(message_dict)

    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        self.process_activate_version_message(message_dict)
