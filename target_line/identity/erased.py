"""The identifiers of persons who were erased on request, as keyed hashes (HMAC-SHA-256).

They stay in the store, to reject later records that name the person. The store also contains the key: its owner can
test a guessed identifier, but not compute an identifier from a hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select, update

from line_core.consent import consent_of
from line_core.errors import LineError
from line_core.identity.model import Claim, DatedValue, RefusedOptOut, identifiers_in
from line_core.store.dialects import in_values, insert_on_conflict
from line_core.store.tables import identity as tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Select

    from line_core.identity.model import EvidenceRecord, Identifier
    from line_core.identity.policy import MergePolicy
    from line_core.store import Store

_ERASURES = "erasures"
"""Counter of erasures and admissions, in `identity_counters`."""


class NotErasedError(LineError):
    """The identifier was not erased, so it cannot be admitted again."""


class ErasedIdentifiers:
    """The identifiers of erased persons."""

    def __init__(self, store: Store) -> None:
        """Load the hashes of a store into memory."""
        with store.read() as connection:
            self._load(connection)
        self._first_version = self._version

    def __bool__(self) -> bool:
        return bool(self._digests)

    def __contains__(self, identifier: Identifier) -> bool:
        return _digest(self._key, identifier) in self._digests

    def refresh(self, connection: Connection) -> bool:
        """Load the hashes again if a person was erased or admitted since, also by another process.

        Until the transaction ends, nobody is erased: an erasure waits for it, and then sees what it wrote.

        Args:
            connection: A write transaction.

        Returns:
            Whether they changed since this object was created: records that were parsed since may name more persons.
        """
        # Postgres locks the row against an update; SQLite has one writer in any case.
        if connection.scalar(_erasures().with_for_update(read=True)) != self._version:
            self._load(connection)
        return self._version != self._first_version

    def _load(self, connection: Connection) -> None:
        self._version = connection.scalar(_erasures())
        key = connection.scalar(select(tables.forgetting_keys.c.key))
        self._digests = set(connection.scalars(select(tables.forgotten.c.digest)))
        self._key = bytes.fromhex(key) if key else b""


def save_erased(connection: Connection, person: Iterable[Identifier]) -> None:
    """Add the identifiers of a person.

    Args:
        connection: A write transaction. Call it before other changes: it waits for transactions that use the hashes.
        person: The identifiers.
    """
    _count_erasure(connection)
    keys = tables.forgetting_keys
    new_key = insert_on_conflict(connection, keys).values(key_id=1, key=secrets.token_hex(32))
    connection.execute(new_key.on_conflict_do_nothing())
    key = bytes.fromhex(connection.execute(select(keys.c.key)).scalar_one())
    now = datetime.now(UTC)
    rows = [{"digest": _digest(key, name), "forgotten_at": now} for name in sorted(person)]
    connection.execute(insert_on_conflict(connection, tables.forgotten).on_conflict_do_nothing(), rows)


def admit(store: Store, identifiers: Iterable[Identifier], reason: str) -> None:
    """Accept records again that name erased identifiers. Their hashes stay in the store with time and reason.

    Raises:
        NotErasedError: One of the identifiers was not erased. Nothing is changed.
    """
    forgotten = tables.forgotten.c
    with store.write(lock="identity") as connection:
        _count_erasure(connection)
        key = bytes.fromhex(connection.scalar(select(tables.forgetting_keys.c.key)) or "")
        digests = {_digest(key, name): name for name in identifiers}
        found = select(forgotten.digest, forgotten.forgotten_at).where(in_values(connection, forgotten.digest, digests))
        erased = {row.digest: row.forgotten_at for row in connection.execute(found)}
        if missing := [name for digest, name in digests.items() if digest not in erased]:
            raise NotErasedError(f"the given {missing[0].kind} was not erased")
        now = datetime.now(UTC)
        rows = [
            {"digest": digest, "forgotten_at": forgotten_at, "admitted_at": now, "reason": reason}
            for digest, forgotten_at in sorted(erased.items())
        ]
        connection.execute(insert(tables.admissions), rows)
        connection.execute(delete(tables.forgotten).where(in_values(connection, forgotten.digest, digests)))


def without_person(
    record: EvidenceRecord,
    person: frozenset[Identifier] | ErasedIdentifiers,
    policy: MergePolicy,
) -> EvidenceRecord | None:
    """Return a record without the identifiers of a person; None if nothing remains.

    Of a record of the person, the opt-outs remain for its other identifiers, as of a rejected record.
    """
    others = tuple(name for name in identifiers_in(record) if name not in person)
    match record:
        case Claim():
            if min(record.identifiers, key=policy.rank) not in person:
                return msgspec.structs.replace(record, identifiers=others)
            opt_outs = _opt_outs(record, policy)
            return RefusedOptOut(others, opt_outs) if others and opt_outs else None
        case RefusedOptOut():
            return msgspec.structs.replace(record, identifiers=others) if others else None
        case _:
            return record if len(others) == len(identifiers_in(record)) else None


def _opt_outs(claim: Claim, policy: MergePolicy) -> dict[str, DatedValue]:
    attributes = {name.casefold() for name in policy.opt_outs}
    return {
        name: value
        for name, value in claim.attributes.items()
        if name.casefold() in attributes and consent_of(value.value)
    }


def _digest(key: bytes, identifier: Identifier) -> str:
    return hmac.digest(key, str(identifier).encode(), hashlib.sha256).hex()


def _erasures() -> Select[tuple[int]]:
    return select(tables.counters.c.value).where(tables.counters.c.counter == _ERASURES)


def _count_erasure(connection: Connection) -> None:
    counters = tables.counters
    connection.execute(update(counters).where(counters.c.counter == _ERASURES).values(value=counters.c.value + 1))
