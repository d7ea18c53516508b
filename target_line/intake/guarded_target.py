"""The boundary around each record: a record that fails becomes a reject, and the records after it are processed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.mapper import SameRecordTransform

from line_core.singer.hooks import TargetHooks
from target_line.intake.batch_files import check_batch, records_of
from target_line.intake.json_values import as_json
from target_line.intake.record_validation import usable_schema
from target_line.intake.singer_reader import InputError, UnusableRecord, no_object
from target_line.unexpected import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.mapper import StreamMap

_SOURCE_METADATA = (
    *("_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at", "_sdc_sequence", "_sdc_table_version"),
    "_sdc_sync_started_at",
)
"""Columns that describe the extraction of a row. The SDK removes them, and `_sdc_deleted_at`, which sinks need."""


class GuardedTarget(TargetHooks):
    """Passes records to the sinks, from RECORD messages and from batch files alike."""

    def process_schema_message(self, message: dict[str, Any]) -> None:
        """Create the sinks of a stream. Properties whose schema is not valid are not checked.

        Raises:
            InputError: The Singer SDK cannot process the schema.
        """
        keys = message.get("key_properties")
        schema = usable_schema(message["stream"], message["schema"])
        # The keys are not used here, and the SDK expects a list of texts.
        usable_keys = keys if isinstance(keys, list) and all(isinstance(key, str) for key in keys) else []
        try:
            super().process_schema_message({**message, "schema": schema, "key_properties": usable_keys})
        except (TypeError, AttributeError, LookupError) as error:
            raise InputError(
                f"the SCHEMA message of stream {message['stream']!r} cannot be processed with the settings of stream "
                f"maps and flattening ({place_of(error)})"
            ) from None

    def process_record_message(self, message: dict[str, Any]) -> None:
        """Apply the stream maps to a record, and pass the results to their sinks.

        Raises:
            RecordsWithoutSchemaException: The stream had no SCHEMA message.
        """
        record = message["record"]
        if not isinstance(record, (dict, UnusableRecord)):
            record = no_object(record)
        self._process_record(message["stream"], record)
        self.drain_old_records()

    def process_batch_message(self, message: dict[str, Any]) -> None:
        """Process each record of the files, as if it had come in a RECORD message.

        Raises:
            RecordsWithoutSchemaException: The stream had no SCHEMA message.
            InputError: The files cannot be read.
        """
        check_batch(message["stream"], message["encoding"], message["manifest"])
        for record in records_of(message["encoding"], message["manifest"]):
            self._process_record(message["stream"], record)
        self.drain_old_records()

    def process_activate_version_message(self, message: dict[str, Any]) -> None:
        """Do nothing: records that a full-table sync no longer contains are not deleted."""

    def _process_record(self, stream: str, record: dict[str, Any] | UnusableRecord) -> None:
        stream_maps: Sequence[StreamMap] | None = self.mapper.stream_maps.get(stream)
        if stream_maps is None:
            raise RecordsWithoutSchemaException(f"stream {stream!r} has records before its SCHEMA message")
        for stream_map in stream_maps:
            if not self.sink_exists(stream_map.stream_alias):
                continue  # a stream map removes the stream
            sink = self.get_sink(stream_map.stream_alias)
            mapped = (
                replace(record, is_mapped=isinstance(stream_map, SameRecordTransform))
                if isinstance(record, UnusableRecord)
                else _mapped(stream_map, record)
            )
            if mapped is not None:
                self.add_record(sink, mapped)


def _mapped(stream_map: StreamMap, record: dict[str, Any]) -> dict[str, Any] | UnusableRecord | None:
    """Return the record as a stream map changes it, or None if the map filters it out."""
    try:
        mapped: dict[str, Any] | None = stream_map.transform(dict(record))
    except Exception as error:  # noqa: BLE001 - an expression of the user can raise any exception
        if record.get("_sdc_deleted_at") and "message_id" in record:
            # The other columns of a deleted row can be null, which expressions do not expect.
            return {name: record[name] for name in ("message_id", "_sdc_deleted_at")}
        # The text of the error can contain values of the record.
        return UnusableRecord(record, f"the stream map fails with {type(error).__name__}", is_mapped=False)
    if mapped is None:
        return None
    for name in _SOURCE_METADATA:
        mapped.pop(name, None)
    if record.get("_sdc_deleted_at"):  # a stream map with `__else__: null` removes it
        mapped["_sdc_deleted_at"] = record["_sdc_deleted_at"]
    if isinstance(stream_map, SameRecordTransform):
        return mapped
    try:
        return as_json(mapped)
    except (TypeError, ValueError, RecursionError):
        return UnusableRecord(record, "the stream map returns a value that is not JSON", is_mapped=False)
