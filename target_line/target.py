"""The Singer target: takes identity and messages in, then sends what is due."""

from __future__ import annotations

import asyncio
import gc
import signal
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities

from line_core.api.tokens import token_source_from_config
from line_core.errors import LineError
from line_core.singer.plugin import OneLineErrors
from line_core.store import Store, open_store
from line_core.store.identity_policy import save_policy
from target_line.erasure import ErasedIdentifiers
from target_line.identity.repository import IdentityRepository
from target_line.intake.reject_limit import RejectLimit
from target_line.intake.roles import Role, role_of
from target_line.intake.singer_reader import LineReader
from target_line.run_history import Run
from target_line.run_report import RunReport
from target_line.sending.ledger import Ledger
from target_line.sending.policy import SendingPolicy, sending_policy_of
from target_line.sending.run_modes import SendingRun
from target_line.settings import CONFIG_JSONSCHEMA, policy_of
from target_line.sinks import SINKS

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_line.sinks import LineSink


class StoppedError(LineError):
    """A signal ended the run."""

    def __init__(self, number: int) -> None:
        """Name the signal."""
        super().__init__(f"stopped by {signal.Signals(number).name}; the next run goes on where this one ended")


class TargetLine(OneLineErrors, Target):
    """Merges identities by exact rules and sends LINE messages, each once."""

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
        """Make the target; see the SDK's `Target` for the arguments."""
        super().__init__(**arguments)
        self.max_parallelism = 1  # sinks that drain in one order are easier to trust, and the database is one anyway

    @cached_property
    def store(self) -> Store:
        """The open store.

        Raises:
            StoreError: It cannot be opened.
        """
        return open_store(self.config["store_url"])

    @cached_property
    def identity(self) -> IdentityRepository:
        """Who is who."""
        policy = policy_of(self.config)
        if save_policy(self.store, policy):
            self.logger.warning("The settings of the merge rules changed; who is who is told by the new ones now")
        return IdentityRepository(self.store, policy, self.channel)

    @cached_property
    def forgotten(self) -> ErasedIdentifiers:
        """Who asked to be forgotten."""
        return ErasedIdentifiers(self.store)

    @cached_property
    def ledger(self) -> Ledger:
        """What is to be sent and was sent."""
        return Ledger(self.store, self.channel, self.run.run_id)

    @cached_property
    def report(self) -> RunReport:
        """The figures of this run."""
        return RunReport(RejectLimit.parse(self.config.get("max_rejects")))

    @cached_property
    def run(self) -> Run:
        """This run."""
        return Run(self.channel, self.config["mode"])

    @cached_property
    def sending_policy(self) -> SendingPolicy:
        """Whether, when and how messages go out.

        Raises:
            SettingError: One of the settings is wrong.
        """
        return sending_policy_of(self.config)

    @property
    def channel(self) -> str:
        """This channel's name."""
        name: str = self.config["channel"]
        return name

    @cached_property
    def junk_identifiers(self) -> frozenset[str]:
        """Ids and emails that name nobody, in lower case."""
        return frozenset(value.strip().casefold() for value in self.config["junk_identifiers"])

    @property
    def provider(self) -> str:
        """The name of the provider above the channel."""
        name: str = self.config["provider"]
        return name

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the SDK's signature
        """End at once; the SDK would drain all sinks, in the middle of whatever batch is being written.

        Raises:
            StoppedError: Always. The batch under way is rolled back, and its STATE is not passed on.
        """
        raise StoppedError(signum)

    def get_sink_class(self, stream_name: str) -> type[LineSink]:
        """The sink of the stream's role; what would stop the run later, stops it here.

        Raises:
            SettingError: The stream has no role, there are no credentials to send with, or a setting is wrong.
            StoreError: The store cannot be opened.
        """
        role = role_of(stream_name, self.config["stream_roles"])
        if role is Role.MESSAGES:
            token_source_from_config(self.config)
        _ = self.identity, self.ledger, self.report, self.sending_policy
        return SINKS[role]

    @classmethod
    def invoke(cls, **arguments: Any) -> None:
        """Run the program.

        Python's cycle collector would go through all records of a batch again and again, for half of the time of a
        run, and find nothing: records have no cycles. So it waits for the end of each batch (`LineSink.process_batch`).
        """
        gc.freeze()
        gc.disable()
        super().invoke(**arguments)

    def process_endofpipe(self) -> None:
        """Make the last batches durable, then do with the messages that are due what the mode says.

        Raises:
            LineError: The run cannot go on; everything it took in stays in the store.
        """
        super().process_endofpipe()
        gc.enable()
        error: LineError | None = None
        try:
            self._deliver()
        except LineError as reason:
            error = reason
            raise
        finally:
            self._tell(error)

    def _deliver(self) -> None:
        if error := self.report.reject_limit_error(final=True):
            raise error
        if self.ledger.has_work():
            delivery = SendingRun(
                self.config, self.store, self.identity, self.ledger, self.sending_policy, self.report, self.run.run_id
            )
            asyncio.run(delivery.run(interrupted_by=StoppedError))
        if error := self.report.reject_limit_error(final=True):
            raise error

    def _tell(self, error: LineError | None) -> None:
        """Say and keep what has become of the input."""
        self.report.settle(self.ledger.counts_of_run())
        for line in self.report.lines():
            self.logger.info(line)
        if self.report.received or self.report.sent:
            self.run.save(self.store, self.report, error)
