"""Parsing of input records by stream role: identity evidence, or a message to schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, assert_never

from target_line.durations import parse_duration
from target_line.identity.identifiers import IdentifierReader
from target_line.identity.placeholders import Placeholders
from target_line.identity.records import EvidenceParser, NullIdentifiers
from target_line.intake.columns import with_known_names
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.early_check import check_early
from target_line.sending.read.cancellation import (
    CANCELLATION_COLUMNS,
    Cancellation,
    cancellation_in_message,
    parse_cancellation,
)
from target_line.sending.read.message import MESSAGE_COLUMNS, parse_message
from target_line.sending.read.recipients import PersonRecipient, without_placeholders
from target_line.sending.staging import MessageToStage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from line_core.identity.model import RefusedOptOut
    from line_core.identity.policy import MergePolicy
    from target_line.identity.identifiers import IdentifierSet
    from target_line.identity.records import ParsedEvidence
    from target_line.sending.read.message import Message


@dataclass(frozen=True, slots=True)
class RecordParser:
    """Parses records with the settings of one run, and rejects records of erased persons."""

    evidence: EvidenceParser
    """Parses records of profiles and follow states."""
    erased: IdentifierSet | None = None
    """Identifiers that were erased on request."""

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], policy: MergePolicy, time_zone: tzinfo, erased: IdentifierSet
    ) -> Self:
        """Read the settings.

        Args:
            config: The settings of the target.
            policy: The settings of the merge rules.
            time_zone: Time zone of times without one.
            erased: Identifiers that were erased on request.

        Raises:
            SettingError: A setting is invalid.
        """
        placeholders = Placeholders(config["junk_identifiers"])
        evidence = EvidenceParser(
            identifiers=IdentifierReader(config["provider"], placeholders, erased),
            rank=policy.rank,
            channel=config["channel"],
            time_zone=time_zone,
            max_future_time=parse_duration(config["max_future_time"], "max_future_time"),
            opt_out_attributes=policy.opt_outs,
            null_identifiers=NullIdentifiers(config["null_identifiers"]),
        )
        return cls(evidence, erased)

    @property
    def provider(self) -> str:
        """Provider that issued the LINE IDs."""
        return self.evidence.identifiers.provider

    def parse(self, role: Role, record: Mapping[str, Any]) -> ParsedEvidence | MessageToStage | Cancellation:
        """Parse a record of a stream with this role.

        Raises:
            RejectedRecordError: The record is invalid, or it is a record of an erased person. `opt_out` is set.
        """
        match role:
            case Role.PROFILES:
                try:
                    return self.evidence.parse_profile(record)
                except RejectedRecordError as error:
                    error.opt_out = self.evidence.refused_opt_out(record)
                    raise
            case Role.MESSAGES:
                record = with_known_names(record, MESSAGE_COLUMNS)
                return cancellation_in_message(record) or self._parse_message(record)
            case Role.FOLLOWS | Role.FOLLOWERS | Role.FRIENDSHIPS:
                return self.evidence.parse_follow(record, role)
            case Role.CANCELLATIONS:
                return parse_cancellation(with_known_names(record, CANCELLATION_COLUMNS))
            case _:
                assert_never(role)

    def refused_opt_out(self, role: Role, record: Mapping[str, Any], *, is_mapped: bool) -> RefusedOptOut | None:
        """Return the opt-out of a record that is rejected before it is parsed; None if it has none."""
        return self.evidence.refused_opt_out(record, is_mapped=is_mapped) if role is Role.PROFILES else None

    def parse_staged(self, record: Mapping[str, Any]) -> Message:
        """Parse the record of a message that the ledger has.

        Raises:
            RejectedRecordError: It is not valid with the settings of this run.
        """
        return parse_message(record, self.evidence.identifiers, self.evidence.time_zone)

    def _parse_message(self, record: Mapping[str, Any]) -> MessageToStage:
        """Parse a `messages` record. The ledger gets it with the known names of columns, without placeholders."""
        record = without_placeholders(record, self.evidence.identifiers)
        message = self.parse_staged(record)
        check_early(message, datetime.now(UTC))
        recipient = message.recipient
        if isinstance(recipient, PersonRecipient) and self.erased and recipient.identifier in self.erased:
            raise RejectedRecordError(Reason.FORGOTTEN, "the record names a person who was erased on request")
        return MessageToStage(message, record)
