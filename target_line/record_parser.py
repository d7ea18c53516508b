"""Parsing of input records by stream role: identity evidence, or a message to schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from target_line.identity.records import parse_follow, parse_profile
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.ledger import MessageToStage
from target_line.sending.read.message import parse_message
from target_line.sending.read.recipients import PersonRecipient

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import tzinfo

    from line_core.identity.model import Claim, Follow, Identifier
    from target_line.identity.erased import ErasedIdentifiers


@dataclass(frozen=True, slots=True)
class RecordParser:
    """Parses records with the settings of one run, and rejects records that name an erased person."""

    channel: str
    provider: str
    """Provider that issued the LINE IDs."""
    junk_identifiers: Collection[str]
    """Ids and emails that identify nobody, in lower case."""
    time_zone: tzinfo
    """Time zone of times without one in `messages` records."""
    erased: ErasedIdentifiers

    def parse(self, role: Role, record: Mapping[str, Any]) -> Claim | Follow | MessageToStage:
        """Parse a record of a stream with this role.

        Raises:
            RejectedRecordError: The record is invalid, or it names an erased person.
        """
        match role:
            case Role.PROFILES:
                claim = parse_profile(record, self.provider, self.junk_identifiers)
                self._reject_erased(*claim.identifiers)
                return claim
            case Role.FOLLOWS | Role.FOLLOWERS | Role.FRIENDSHIPS:
                follow = parse_follow(record, self.provider, role, self.channel)
                self._reject_erased(follow.line_id)
                return follow
            case Role.MESSAGES:
                message = parse_message(record, self.provider, self.time_zone)
                if isinstance(message.recipient, PersonRecipient):
                    self._reject_erased(message.recipient.identifier)
                return MessageToStage(message, record)
            case _:
                assert_never(role)

    def _reject_erased(self, *identifiers: Identifier) -> None:
        if self.erased and any(identifier in self.erased for identifier in identifiers):
            raise RejectedRecordError(Reason.FORGOTTEN, "the record names a person who was erased on request")
