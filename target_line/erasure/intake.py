"""What a run must not store of erased persons: rejected records, and messages that it parsed before the erasure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from target_line.erasure.mentions import names_in
from target_line.intake.rejects import Reject
from target_line.reasons import Reason
from target_line.sending.read.recipients import PersonRecipient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from target_line.identity.erased import ErasedIdentifiers
    from target_line.sending.ledger import MessageToStage

FORGOTTEN_DETAIL = "the record names a person who was erased on request"


def forgotten_reject(stream: str) -> Reject:
    """Return the reject of a record that names an erased person, without the record."""
    return Reject(stream, {}, Reason.FORGOTTEN, FORGOTTEN_DETAIL)


def without_erased_records(
    connection: Connection, erased: ErasedIdentifiers, provider: str, rejects: Iterable[Reject]
) -> list[Reject]:
    """Return rejects, without the content of records that name an erased person.

    Args:
        connection: The write transaction that saves them.
        erased: Identifiers of erased persons.
        provider: Provider of the LINE IDs in the records.
        rejects: The rejects.
    """
    erased.refresh(connection)
    if not erased:
        return list(rejects)
    return [
        replace(reject, record={}, detail=FORGOTTEN_DETAIL)
        if any(name in erased for name in names_in(reject.record, provider))
        else reject
        for reject in rejects
    ]


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
