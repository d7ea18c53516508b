"""What a run must not store of erased persons: rejected records, and messages that it parsed before the erasure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_line.erasure.mentions import identity_columns, names_in
from target_line.intake.rejects import Reject
from target_line.reasons import Reason
from target_line.sending.read.recipients import PersonRecipient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from target_line.identity.erased import ErasedIdentifiers
    from target_line.record_parser import RecordParser
    from target_line.sending.staging import MessageToStage

FORGOTTEN_DETAIL = "the record names a person who was erased on request"


def forgotten_reject(stream: str) -> Reject:
    """Return the reject of a record that names an erased person, without the record."""
    return Reject(stream, {}, Reason.FORGOTTEN, FORGOTTEN_DETAIL)


def without_erased_records(
    connection: Connection, erased: ErasedIdentifiers, parser: RecordParser, rejects: Iterable[Reject]
) -> list[Reject]:
    """Return rejects without erased persons.

    A reject of another person's record loses the erased identifiers, and can be replayed. Of a record whose strongest
    identifier was erased, or that names an erased person elsewhere, nothing is kept but the reason.

    Args:
        connection: The write transaction that saves them.
        erased: Identifiers of erased persons.
        parser: The parser of the records.
        rejects: The rejects.
    """
    erased.refresh(connection)
    if not erased:
        return list(rejects)
    return [_without_erased(reject, erased, parser) for reject in rejects]


def _without_erased(reject: Reject, erased: ErasedIdentifiers, parser: RecordParser) -> Reject:
    def is_named_in(record: object) -> bool:
        return any(name in erased for name in names_in(record, parser.provider))

    if not is_named_in(reject.record):
        return reject
    named = identity_columns(reject.record, parser.provider)
    kept = [column for column, name in named.items() if name not in erased]
    strongest = min(named, key=lambda column: parser.evidence.rank(named[column]), default=None)
    remaining = {column: value for column, value in reject.record.items() if column not in named or column in kept}
    if strongest not in kept or is_named_in(remaining):
        return replace(reject, record={}, detail=FORGOTTEN_DETAIL)
    return replace(reject, record=remaining, detail=f"{reject.reason.description} ({FORGOTTEN_DETAIL})")


def without_erased_recipients(
    connection: Connection, erased: ErasedIdentifiers, messages: list[MessageToStage]
) -> list[MessageToStage]:
    """Return the messages whose recipients were not erased since the messages were parsed.

    Args:
        connection: The write transaction that stages them.
        erased: Identifiers of erased persons.
        messages: Parsed messages.
    """
    if not erased.refresh(connection):
        return messages
    return [
        item
        for item in messages
        if not (isinstance(recipient := item.message.recipient, PersonRecipient) and recipient.identifier in erased)
    ]
