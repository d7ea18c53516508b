"""The Singer target: takes identity and messages in, then sends what is due."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from line_core.plugin import OneLineErrors
from singer_sdk import Target
from singer_sdk.helpers.capabilities import PluginCapabilities, TargetCapabilities

from line_core.errors import LineError
from line_core.store import Store, open_store
from target_line.identity.repository import IdentityRepository
from target_line.reading import LineReader
from target_line.report import Report
from target_line.roles import role_of
from target_line.sending.ledger import Ledger
from target_line.settings import CONFIG_JSONSCHEMA, policy_of
from target_line.sinks import SINKS

if TYPE_CHECKING:
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from target_line.sinks import LineSink


class TooManyRejectsError(LineError):
    """More records were refused than the run allows."""


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

    @property
    def max_parallelism(self) -> int:
        """One: a batch of identity must be in before the next sink looks at it."""
        return 1

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

    def get_sink_class(self, stream_name: str) -> type[LineSink]:
        """The sink of the stream's role.

        Raises:
            SettingError: The stream has no role.
        """
        return SINKS[role_of(stream_name, self.config["stream_roles"])]

    def process_endofpipe(self) -> None:
        """Make the last batches durable, then send what is due.

        Raises:
            LineError: The run cannot go on; everything it took in stays in the store.
        """
        super().process_endofpipe()
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
