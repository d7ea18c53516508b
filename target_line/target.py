"""The Singer target: takes identity and messages in, then sends what is due."""

from __future__ import annotations

import asyncio
import gc
import signal
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities

from line_core.api.client import LineClient
from line_core.api.limits import LocalLimits
from line_core.api.tokens import token_source_of
from line_core.errors import LineError
from line_core.plugin import OneLineErrors
from line_core.store import Store, open_store
from target_line.identity.repository import IdentityRepository
from target_line.reading import LineReader
from target_line.report import Report
from target_line.roles import Role, role_of
from target_line.sending.compose import compose
from target_line.sending.ledger import Ledger
from target_line.sending.message import parse_message
from target_line.sending.sender import Sender
from target_line.settings import CONFIG_JSONSCHEMA, policy_of
from target_line.sinks import SINKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_line.sending.compose import Decision
    from target_line.sinks import LineSink


class TooManyRejectsError(LineError):
    """More records were refused than the run allows."""


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
        return IdentityRepository(self.store, policy_of(self.config))

    @cached_property
    def ledger(self) -> Ledger:
        """What is to be sent and was sent."""
        return Ledger(self.store, self.channel)

    @cached_property
    def report(self) -> Report:
        """The figures of this run."""
        return Report()

    @property
    def channel(self) -> str:
        """This channel's name."""
        name: str = self.config["channel"]
        return name

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
            token_source_of(self.config)
        _ = self.identity, self.ledger
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
        """Make the last batches durable, then send what is due.

        Raises:
            LineError: The run cannot go on; everything it took in stays in the store.
        """
        super().process_endofpipe()
        gc.enable()
        try:
            self._check_rejects()
            self._send()
        finally:
            for line in self.report.lines():
                self.logger.info(line)

    def _check_rejects(self) -> None:
        allowed, found = self.config.get("max_rejects"), self.report.rejects.total()
        if allowed is not None and found > allowed:
            raise TooManyRejectsError(
                f"{found:,} records were refused, {allowed:,} are allowed; nothing was sent",
                setting="max_rejects",
            )

    def _send(self) -> None:
        """Send what is due, of this run and of earlier ones.

        Raises:
            LineError: Something speaks against going on; what was not sent stays in the ledger.
        """
        if self.ledger.has_work():
            asyncio.run(self._send_due())

    async def _send_due(self) -> None:
        limits = LocalLimits(self.config.get("max_requests_per_second"))
        proxy = self.config["use_proxy_from_environment"]
        async with LineClient(self.config["api_url"], token_source_of(self.config), limits, trust_env=proxy) as client:
            sender = Sender(self.ledger, client, limits, self._decide, self.report)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, sender.stop, StoppedError(number))
            await sender.run()

    def _decide(self, records: Sequence[Mapping[str, Any]]) -> list[Decision]:
        """What to do with each of some due message records, as identity is now."""
        messages = [parse_message(record, self.provider) for record in records]
        profiles = self.identity.resolutions({message.recipient for message in messages})
        now = datetime.now(UTC)
        return [compose(message, profiles.get(message.recipient), self.provider, now) for message in messages]
