"""Sinks: store each batch of records as identity evidence or scheduled messages, and invalid records as rejects.

The SDK emits STATE only after every sink has drained, so a batch must be committed when `process_batch` returns.
"""

from __future__ import annotations

import abc
import gc
import logging
from typing import TYPE_CHECKING, Any

from line_core.identity.model import Follow
from line_core.singer.hooks import UnvalidatedSink
from line_core.store.database import is_caused_by_values
from target_line.erasure.intake import forgotten_reject, without_erased_recipients, without_erased_records
from target_line.identity.records import ParsedEvidence
from target_line.intake.guarded_target import GuardedTarget
from target_line.intake.record_validation import RecordValidator
from target_line.intake.rejects import Reject, notice_reject, save_rejects
from target_line.intake.required_columns import check_columns
from target_line.intake.roles import Role, role_of
from target_line.intake.singer_reader import UnusableRecord
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.cancellation import Cancellation
from target_line.sending.staging import MessageToStage
from target_line.settings import Mode
from target_line.unexpected import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_line.run_context import RunContext

_logger = logging.getLogger("target-line")


class RunTarget(GuardedTarget):
    """A target whose sinks share one run context."""

    @property
    @abc.abstractmethod
    def run_context(self) -> RunContext:
        """The objects that the sinks use."""


class LineSink(UnvalidatedSink):
    """Validates and parses each record, and saves rejects; a subclass saves the parsed records."""

    def __init__(
        self,
        target: RunTarget,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Create the sink of one stream.

        Raises:
            SettingError: The stream has no role, or a setting is invalid.
            InputError: The stream cannot have records that are accepted.
            StoreError: The store cannot be opened.
        """
        super().__init__(target, stream_name, schema, key_properties)
        self.run_context = target.run_context
        self.role = role_of(stream_name, self.config["stream_roles"])
        check_columns(stream_name, self.role, schema)
        self._record_validator = RecordValidator(stream_name, self.schema) if self.validate_schema else None
        self.run_context.column_watch.add_schema(stream_name, self.role, self.schema)

    def process_record(self, record: dict[str, Any] | UnusableRecord, context: dict[str, Any]) -> None:
        """Add a record to the batch, parsed or as a reject."""
        if isinstance(record, UnusableRecord):
            reason = Reason.INVALID_RECORD if record.is_mapped else Reason.NOT_MAPPED
            self._reject(record.content, RejectedRecordError(reason, record.detail), context, record.columns)
            return
        try:
            # Not a column of the schema. The SDK adds it to a row that was deleted from its table.
            deleted_at = record.pop("_sdc_deleted_at", None)
            self.run_context.column_watch.add(self.stream_name, self.role, record)
            if self._record_validator:
                self._record_validator.check(record)
            if deleted_at and self.role is Role.MESSAGES:
                record["_sdc_deleted_at"] = deleted_at
            parsed = self.run_context.parser.parse(self.role, record)
        except RejectedRecordError as error:
            self._reject(record, error, context)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one record must not end the run
            self._reject(record, self._unexpected(error), context)
        else:
            context.setdefault("parsed", []).append((record, parsed))
            if isinstance(parsed, ParsedEvidence) and parsed.notices:
                context.setdefault("notices", []).append(notice_reject(self.stream_name, record, parsed.notices))

    def process_batch(self, context: dict[str, Any]) -> None:
        """Commit the batch to the store."""
        self._save_batch(context)
        context.clear()
        if not gc.isenabled():  # see `TargetLine.invoke`
            gc.collect()  # nothing refers to the records any more, so it does not traverse them

    def _save_batch(self, context: dict[str, Any]) -> None:
        if parsed := context.get("parsed"):
            context.setdefault("rejects", []).extend(self._save_or_reject(parsed))
        self._save_rejects(context.get("rejects", []))
        if notices := context.get("notices"):
            self._save_notices(notices)

    def _save_or_reject(self, parsed: list[tuple[dict[str, Any], Any]]) -> list[Reject]:
        """Save parsed records, and return rejects of those that cannot be saved.

        If the batch cannot be saved because of a value, its halves are saved, until only the records with such values
        are left.

        Raises:
            StoreError: The store cannot be written.
        """
        try:
            self.save([item for _, item in parsed])
        except Exception as error:
            if not is_caused_by_values(error):
                raise
            if len(parsed) == 1:
                unexpected = self._unexpected(error)
                return [Reject(self.stream_name, parsed[0][0], unexpected.reason, unexpected.detail)]
            middle = len(parsed) // 2
            return self._save_or_reject(parsed[:middle]) + self._save_or_reject(parsed[middle:])
        return []

    def _unexpected(self, error: Exception) -> RejectedRecordError:
        """Log an unexpected error, and return the rejection of the record that caused it."""
        self.logger.warning("Stream %s: a record was rejected: %s", self.stream_name, place_of(error))
        return RejectedRecordError(Reason.INVALID_RECORD, f"the record cannot be processed ({type(error).__name__})")

    def _reject(
        self,
        record: dict[str, Any],
        error: RejectedRecordError,
        context: dict[str, Any],
        columns: dict[str, Any] | None = None,
    ) -> None:
        """Add a record to the batch as a reject. Its opt-out counts nevertheless, read from `columns` if given."""
        kept = {} if error.reason is Reason.FORGOTTEN else record
        reject = Reject(self.stream_name, kept, error.reason, error.detail, error.column)
        context.setdefault("rejects", []).append(reject)
        is_mapped = error.reason is not Reason.NOT_MAPPED
        opt_out = error.opt_out or self.run_context.parser.refused_opt_out(
            self.role, columns or record, is_mapped=is_mapped
        )
        if opt_out:
            context.setdefault("parsed", []).append((record, ParsedEvidence((opt_out,), is_rejected=True)))

    def _save_rejects(self, rejects: list[Reject]) -> None:
        if not rejects:
            return
        self._store_rejects(rejects)
        self.run_context.report.add_rejects(self.role, rejects)

    def _save_notices(self, notices: list[Reject]) -> None:
        self._store_rejects(notices)
        self.run_context.report.add_notices(notices)

    def _store_rejects(self, rejects: list[Reject]) -> None:
        run = self.run_context
        with run.store.write() as connection:
            kept = without_erased_records(connection, run.erased, run.parser, rejects)
            save_rejects(connection, run.channel, kept)

    @abc.abstractmethod
    def save(self, parsed: list[Any]) -> None:
        """Commit parsed records, at least one, to the store."""


class EvidenceSink(LineSink):
    """Stores identity evidence: streams of profiles and of follow states."""

    def save(self, parsed: list[Any]) -> None:
        """Add the evidence to the identity store."""
        evidence: list[ParsedEvidence] = parsed
        records = [record for each in evidence for record in each.records]
        if self.role is not Role.PROFILES:
            for channel in {record.channel for record in records if isinstance(record, Follow)}:
                self.run_context.column_watch.add_channel(channel)
        changes = self.run_context.identity.ingest(records)
        accepted = sum(not each.is_rejected for each in evidence) - changes.forgotten
        self.run_context.report.add_evidence(self.role, self.stream_name, accepted, changes)
        if changes.forgotten:
            self._save_rejects([forgotten_reject(self.stream_name)] * changes.forgotten)


class MessagesSink(LineSink):
    """Schedules and cancels messages. They are sent after all input is stored.

    So each message sees every identity record, and a cancellation in the same input counts in any order.
    """

    def save(self, parsed: list[Any]) -> None:
        """Add messages to the ledger, and withdraw those that are cancelled."""
        run = self.run_context
        messages = [item for item in parsed if isinstance(item, MessageToStage)]
        cancellations = [item for item in parsed if isinstance(item, Cancellation)]
        with run.store.write(lock="ledger") as connection:
            kept = without_erased_recipients(connection, run.erased, messages)
            is_first = bool(kept) and run.run.mode == Mode.SEND and run.ledger.is_empty(connection)
            staged = run.staging.stage(connection, kept, run.parser.parse_staged)
            withdrawn = run.staging.cancel(connection, cancellations)
        if is_first:
            _logger.warning(
                "The ledger of channel %s is new: this store has not had a message before. Messages that another store "
                "has sent are not known here, and can be sent again",
                run.channel,
            )
        if accepted := len(kept) - len(staged.refusals):
            run.report.add_messages(self.stream_name, received=accepted, new=staged.new)
        if withdrawn.cancelled:
            run.report.add_cancellations(self.role, self.stream_name, withdrawn.cancelled)
        refusals = staged.refusals + withdrawn.refusals
        # They say nothing about the stream, unlike records that cannot be parsed.
        run.report.streams.add_accepted(self.stream_name, len(refusals))
        rejects = [Reject(self.stream_name, refused.record, refused.reason, refused.detail) for refused in refusals]
        self._save_rejects(rejects + [forgotten_reject(self.stream_name)] * (len(messages) - len(kept)))


def sink_class_of(role: Role) -> type[LineSink]:
    """Return the sink class of a stream role."""
    return MessagesSink if role in (Role.MESSAGES, Role.CANCELLATIONS) else EvidenceSink
