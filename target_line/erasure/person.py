"""Erasure of one person: the order of its transactions, and the list of what names the person."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import delete, func, select

from line_core.identity.model import Identifier, IdentifierKind
from line_core.store.inbox.erasure import erase_line_id, rows_naming
from line_core.store.tables import audience
from target_line.erasure.documents import check_no_send_in_progress, erase_documents, find_documents
from target_line.erasure.evidence import (
    OtherClaim,
    claims_of_others,
    erase_evidence,
    erase_merges,
    identifiers_of_person,
    merges_naming,
)
from target_line.erasure.mentions import Person
from target_line.identity.cluster_queries import SHARED, clusters_of
from target_line.identity.erased import save_erased
from target_line.identity.repository import UnknownPersonError

if TYPE_CHECKING:
    from line_core.identity.policy import MergePolicy
    from line_core.store import Store

_AUDIENCE = (audience.contacts, audience.findings)


class Mention(NamedTuple):
    """A row, or a number of rows, that names the person."""

    table: str
    key: str
    state: str


def list_mentions(store: Store, policy: MergePolicy, identifier: Identifier) -> list[Mention]:
    """Return everything in the store that names the person who has an identifier. The store is not changed."""
    person = _person(store, policy, identifier)
    with store.read() as connection:
        found = [Mention("identifiers", str(name), "") for name in sorted(clusters_of(connection, person.identifiers))]
        found += (Mention("merges", str(number), "") for number in merges_naming(connection, person.identifiers))
        for line_id in person.line_ids:
            counts = rows_naming(connection, line_id)
            counts |= {
                table.name: connection.scalar(select(func.count()).where(table.c.line_id == line_id)) or 0
                for table in _AUDIENCE
            }
            found += (Mention(table, line_id, f"{count:,} rows") for table, count in counts.items() if count)
    documents = find_documents(store, person)
    return [*found, *(Mention(item.table, " ".join(map(str, item.key)), item.state) for item in documents)]


def list_claims_of_others(store: Store, policy: MergePolicy, identifier: Identifier) -> list[OtherClaim]:
    """Return what other persons' records claim of the person's identifiers."""
    person = _person(store, policy, identifier)
    with store.read() as connection:
        return claims_of_others(connection, policy, person.identifiers)


def erase_person(store: Store, policy: MergePolicy, identifier: Identifier) -> Counter[str]:
    """Erase the person who has an identifier, with all identifiers of the person's profile.

    In records of other persons, only the erased identifiers are removed. The ledger keeps the message ids, without
    recipient and content, so that no message is sent again.

    Returns:
        The number of erased or changed rows by kind.

    Raises:
        UnknownPersonError: Nothing in the store names the identifier, or it identifies nobody.
        SendInProgressError: A request to the person is in progress.
    """
    with store.read() as connection:
        if clusters_of(connection, {identifier}).get(identifier) == SHARED:
            raise UnknownPersonError(
                f"the given {identifier.kind} identifies nobody, since too many people claim it: "
                "name the person by another identifier"
            )
    documents = find_documents(store, _person(store, policy, identifier))
    check_no_send_in_progress(documents)
    with store.write(lock="identity") as connection:
        found = identifiers_of_person(connection, policy, identifier)
        if not found and not documents and identifier.kind is not IdentifierKind.LINE_ID:  # it may be in the inbox only
            raise UnknownPersonError(
                f"no profile in the store has the given {identifier.kind}, and no other row names it"
            )
        person = Person(found or {identifier})
        # From here on, no record of the person is stored, also by runs that have started before.
        save_erased(connection, person.identifiers)
    # Identity is erased last: until then the command can be repeated after a crash.
    erased: Counter[str] = Counter()
    for line_id in person.line_ids:
        with store.write(lock="inbox") as connection:
            erased["events"] += erase_line_id(connection, line_id)
        with store.write(lock="audience") as connection:
            for table in _AUDIENCE:
                erased[table.name] += connection.execute(delete(table).where(table.c.line_id == line_id)).rowcount
    # Until its scheduled messages are skipped, a run can reject one of them and add a row after the search.
    while documents := find_documents(store, person):
        with store.write(lock="ledger") as connection:
            erased.update(erase_documents(connection, person, documents))
    with store.write(lock="identity") as connection:
        merges = merges_naming(connection, person.identifiers)
        erase_merges(connection, merges)
        erase_evidence(connection, policy, person.identifiers)
    erased.update(merges=len(merges), identifiers=len(person.identifiers))
    return erased


def _person(store: Store, policy: MergePolicy, identifier: Identifier) -> Person:
    """Return the person who has an identifier. Without a profile, rows may still name the identifier."""
    with store.read() as connection:
        return Person(identifiers_of_person(connection, policy, identifier) or {identifier})
