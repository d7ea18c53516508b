"""The Singer target: store identity evidence and messages, then send the messages that are due."""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities

from line_core.api.credentials import token_source_from_config
from line_core.errors import LineError
from line_core.singer.plugin import LinePlugin
from target_line.intake.roles import Role, role_of
from target_line.intake.singer_reader import LineReader
from target_line.run_context import RunContext
from target_line.sending.drafts import delete_drafts, delete_leftover_drafts
from target_line.sending.narrowcast_progress import has_running_narrowcasts
from target_line.settings import CONFIG_JSONSCHEMA, Mode, store_url_of
from target_line.sinks import RunTarget, sink_class_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_line.sinks import LineSink


class StoppedBySignalError(LineError):
    """A signal ended the run."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}; the next run continues from here")


class TargetLine(LinePlugin, RunTarget):
    """Merges identities by exact rules and sends each LINE message once."""

    name = "target-line"
    package_name = "singer-line"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_JSONSCHEMA
    message_reader_class = LineReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.STRUCTURED_LOGGING,
        TargetCapabilities.VALIDATE_RECORDS,
    ]

    def __init__(self, **arguments: Any) -> None:
        """Create the target; see `singer_sdk.Target` for the arguments."""
        arguments.setdefault("message_reader", LineReader(on_failure=self._save_failure))
        super().__init__(**arguments)
        self.max_parallelism = 1  # all sinks write to one database: draining in parallel gains nothing

    def check_settings(self, config: Mapping[str, Any]) -> None:
        """Check that a run that sends has a store.

        Raises:
            SettingError: Mode send has no `store_url`.
        """
        store_url_of(config)

    @cached_property
    def run_context(self) -> RunContext:
        """The objects that sinks and sending share. The merge policy of the run is saved in the store.

        Raises:
            SettingError: A setting is invalid.
            StoreError: The store cannot be opened.
        """
        context = RunContext.open(self.config)
        context.run.start(context.store)
        delete_leftover_drafts(context.store)
        context.save_merge_policy()
        return context

    def handle_signal(self, number: int) -> None:
        """End the run immediately. The SDK would drain all sinks, possibly while a batch is being written.

        Raises:
            StoppedBySignalError: Always. The current batch is rolled back, and its STATE is not emitted.
        """
        raise StoppedBySignalError(number)

    def write_state(self, state: dict[str, Any]) -> None:
        """Write a STATE message, unless the tap must emit the records again.

        That is so in a dry run, and if all records of a stream were rejected so far.
        """
        if self.config["mode"] == Mode.SEND and not self.run_context.report.streams.error():
            super().write_state(state)

    def get_sink_class(self, stream_name: str) -> type[LineSink]:
        """Return the sink class of the stream's role.

        Raises:
            SettingError: The stream has no role, or it holds messages and there are no credentials to send them.
        """
        role = role_of(stream_name, self.config["stream_roles"])
        if role is Role.MESSAGES:
            token_source_from_config(self.config)  # fail before the input is read rather than when sending starts
        return sink_class_of(role)

    @classmethod
    def invoke(cls, **arguments: Any) -> None:
        """Run the program with Python's cyclic garbage collector disabled while input is read.

        The collector would traverse all records of a batch repeatedly, which takes half of the run time and frees
        nothing, since records contain no reference cycles. `LineSink.process_batch` collects once per batch instead.
        """
        gc.freeze()
        gc.disable()
        super().invoke(**arguments)

    def process_endofpipe(self) -> None:
        """Commit the last batches, then send, plan or validate the messages that are due.

        Raises:
            LineError: The run cannot continue; the stored input stays in the store.
        """
        super().process_endofpipe()
        gc.enable()
        context = self.run_context
        for warning in context.column_watch.warnings():
            self.logger.warning(warning)
        error: LineError | None = None
        try:
            context.report.check_reject_limit()
            if withdrawn := context.ledger.withdraw_cancelled_campaigns():
                self.logger.info("%s messages of cancelled campaigns were withdrawn", f"{withdrawn:,}")
            if context.ledger.has_work() or self._has_running_narrowcasts(context) or self._is_plan_due(context):
                self._process_due_messages(context)
            context.report.check_reject_limit()
            if everything_rejected := context.report.streams.error():
                raise everything_rejected
        except LineError as reason:
            error = reason
            raise
        finally:
            self._report_outcomes(context, error)

    def _is_plan_due(self, context: RunContext) -> bool:
        """Return whether a plan is made although there is nothing to send: the input had messages."""
        return self.config["mode"] == Mode.PLAN and bool(context.report.received[Role.MESSAGES])

    def _has_running_narrowcasts(self, context: RunContext) -> bool:
        return self.config["mode"] == Mode.SEND and has_running_narrowcasts(context.ledger)

    def _save_failure(self, error: Exception) -> None:
        """Save the error that ended the reading of the input with the run, if the store can be written."""
        if context := self.__dict__.get("run_context"):
            with suppress(LineError):
                delete_drafts(context.store, context.run.run_id)
                context.run.save(context.store, context.report, error)

    def _process_due_messages(self, context: RunContext) -> None:
        # Imported here, because most runs that load profiles send nothing.
        from target_line.sending.run_modes import SendingRun  # noqa: PLC0415

        sending = SendingRun(self.config, context.ledger, context.identity, context.sending_policy, context.report)
        asyncio.run(sending.run(interrupted_by=StoppedBySignalError))

    def _report_outcomes(self, context: RunContext, error: LineError | None) -> None:
        """Log the outcomes of the input records, and save them in the store."""
        report = context.report
        report.add_outcomes_of_new_messages(context.ledger.counts_of_run())
        for warning in report.warnings():
            self.logger.warning(warning)
        for line in report.lines():
            self.logger.info(line)
        if self.config["mode"] != Mode.SEND:
            delete_drafts(context.store, context.run.run_id)
        context.run.save(context.store, report, error)
