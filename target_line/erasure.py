"""Erasure of a person on request, from all parts of the store.

Keyed hashes (HMAC-SHA-256) of the person's identifiers stay in the store, to reject later records that name the person.
The store also contains the key: its owner can test a guessed identifier, but not compute an identifier from a hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import String, cast, delete, func, or_, select, update

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence, encode_evidence
from line_core.identity.model import Claim, Evidence, Identifier, IdentifierKind, identifiers_in
from line_core.identity.rules import resolve
from line_core.message_status import MessageStatus
from line_core.store.dialects import insert_on_conflict
from line_core.store.inbox.erasure import erase_line_id
from line_core.store.tables import audience, identity, ledger
from line_core.store.tables.rejects import rejects
from target_line.identity.cluster_queries import clusters_of, encoded_evidence_of
from target_line.identity.repository import UnknownPersonError
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column, ColumnElement, Connection

    from line_core.identity.policy import MergePolicy
    from line_core.store import Store


class SendInProgressError(LineError):
    """A claimed request to the person has no response yet, so its body must not change."""


class ErasedIdentifiers:
    """The identifiers of erased persons, as keyed hashes."""

    def __init__(self, store: Store) -> None:
        """Load the hashes of a store into memory."""
        with store.read() as connection:
            key = connection.execute(select(identity.forgetting_keys.c.key)).scalar_one_or_none()
            self._digests = set(connection.execute(select(identity.forgotten.c.digest)).scalars())
        self._key = bytes.fromhex(key) if key else b""

    def __bool__(self) -> bool:
        return bool(self._digests)

    def __contains__(self, identifier: Identifier) -> bool:
        return _digest(self._key, identifier) in self._digests


def erase_person(store: Store, policy: MergePolicy, identifier: Identifier) -> Counter[str]:
    """Erase the person who has an identifier, with all identifiers of the person's profile.

    In records of other persons, only the erased identifiers are removed. The ledger keeps the message ids, without
    recipient and content, so that no message is sent again.

    Returns:
        The number of erased or changed rows by kind.

    Raises:
        UnknownPersonError: No profile has the identifier.
        SendInProgressError: A request to the person is in progress.
    """
    erased: Counter[str] = Counter()
    with store.write(lock="identity") as connection:
        person = _identifiers_of_person(connection, policy, identifier)
        _check_no_send_in_progress(connection, person)
        _save_digests(connection, person)
    # Identity is erased last: until then the command can be repeated after a crash.
    for line_id in sorted(name.value for name in person if name.kind is IdentifierKind.LINE_ID):
        with store.write(lock="inbox") as connection:
            erased["events"] += erase_line_id(connection, line_id)
        with store.write(lock="audience") as connection:
            for table in (audience.contacts, audience.findings):
                erased[table.name] += connection.execute(delete(table).where(table.c.line_id == line_id)).rowcount
    with store.write(lock="identity") as connection:
        person |= _identifiers_of_person(connection, policy, identifier)
        _save_digests(connection, person)
        erased["messages"] = _erase_ledger(connection, person)
        erased["rejects"] = _delete_rows_with(connection, rejects.c.record, person)
        erased["merges"] = _erase_merges(connection, person)
        erased["identifiers"] = len(person)
        _erase_identity(connection, policy, person)
    return erased


def _identifiers_of_person(
    connection: Connection, policy: MergePolicy, identifier: Identifier
) -> frozenset[Identifier]:
    encoded = encoded_evidence_of(connection, set(clusters_of(connection, {identifier}).values()))
    for text in encoded.values():
        return resolve(decode_evidence(text), policy).profile_of(identifier).identifiers
    if identifier.kind is IdentifierKind.LINE_ID:  # it may be in the inbox only
        return frozenset({identifier})
    raise UnknownPersonError(f"no profile in the store has the given {identifier.kind}")


def _digest(key: bytes, identifier: Identifier) -> str:
    return hmac.digest(key, str(identifier).encode(), hashlib.sha256).hex()


def _save_digests(connection: Connection, person: Iterable[Identifier]) -> None:
    keys = identity.forgetting_keys
    new_key = insert_on_conflict(connection, keys).values(key_id=1, key=secrets.token_hex(32))
    connection.execute(new_key.on_conflict_do_nothing())
    key = bytes.fromhex(connection.execute(select(keys.c.key)).scalar_one())
    now = datetime.now(UTC)
    rows = [{"digest": _digest(key, name), "forgotten_at": now} for name in sorted(person)]
    connection.execute(insert_on_conflict(connection, identity.forgotten).on_conflict_do_nothing(), rows)


def _erase_identity(connection: Connection, policy: MergePolicy, person: frozenset[Identifier]) -> None:
    cluster_of = clusters_of(connection, person)
    clusters, identifiers = identity.clusters, identity.identifiers
    for cluster, text in encoded_evidence_of(connection, set(cluster_of.values())).items():
        remaining = _without_person(decode_evidence(text), person, policy)
        if remaining.identifiers():
            changed = {"evidence": encode_evidence(remaining), "updated_at": datetime.now(UTC)}
            connection.execute(update(clusters).where(clusters.c.cluster_id == cluster).values(changed))
        else:
            connection.execute(delete(clusters).where(clusters.c.cluster_id == cluster))
    columns = identifiers.c
    for kind, provider, value in person:
        connection.execute(
            delete(identifiers).where(columns.kind == kind, columns.provider == provider, columns.value == value),
        )


def _without_person(evidence: Evidence, person: frozenset[Identifier], policy: MergePolicy) -> Evidence:
    """Return the evidence of other persons, without the identifiers of the person."""
    remaining = Evidence()
    for claim in evidence.claims.values():
        if min(claim.identifiers, key=policy.rank) not in person:
            others = tuple(name for name in claim.identifiers if name not in person)
            remaining.add(msgspec.structs.replace(claim, identifiers=others))
    for record in evidence.records():
        if not isinstance(record, Claim) and person.isdisjoint(identifiers_in(record)):
            remaining.add(record)
    remaining.shared = evidence.shared - person
    return remaining


def _erase_merges(connection: Connection, person: Iterable[Identifier]) -> int:
    merges = identity.merges
    names = [str(name) for name in person]
    involved = (column.in_(names) for column in (merges.c.survivor, merges.c.absorbed, merges.c.identifier))
    before = (_contains(merges.c.before, json.dumps(name, ensure_ascii=False)) for name in names)
    return connection.execute(delete(merges).where(or_(*involved, *before))).rowcount


def _check_no_send_in_progress(connection: Connection, person: Iterable[Identifier]) -> None:
    requests = ledger.requests
    to_person = or_(*(_contains_identifier(requests.c.body, name) for name in person))
    query = select(requests.c.retry_key).where(requests.c.status == MessageStatus.CLAIMED, to_person).limit(1)
    if connection.execute(query).first():
        raise SendInProgressError("a message to the person is being sent; run target-line to its end first")


def _erase_ledger(connection: Connection, person: Iterable[Identifier]) -> int:
    """Skip the scheduled messages to the person, and remove recipient and content from all of them."""
    messages, requests, plans = ledger.messages, ledger.requests, ledger.plans
    values = [name.value for name in person]
    now = datetime.now(UTC)
    to_person = or_(messages.c.line_id.in_(values), *(_contains_identifier(messages.c.record, name) for name in person))
    scheduled = to_person & (messages.c.status == MessageStatus.SCHEDULED)
    skipped = {"status": MessageStatus.SKIPPED, "reason": Reason.FORGOTTEN}
    connection.execute(update(messages).where(scheduled).values(**skipped))
    empty: dict[str, Any] = {"record": {}, "line_id": None, "detail": None, "updated_at": now}
    emptied = connection.execute(update(messages).where(to_person).values(**empty)).rowcount
    for name in person:
        bodies = select(requests.c.retry_key, requests.c.body).where(_contains_identifier(requests.c.body, name))
        for retry_key, body in connection.execute(bodies).all():
            remaining = _body_without_recipients(body, values)
            connection.execute(update(requests).where(requests.c.retry_key == retry_key).values(body=remaining))
    _delete_rows_with(connection, plans.c.summary, person)
    return emptied


def _body_without_recipients(body: str, line_ids: list[str]) -> str:
    """Return the body of a finished request without some recipients; `{}` if no other recipient remains."""
    content = json.loads(body)
    to = content.get("to")
    others = [line_id for line_id in to if line_id not in line_ids] if isinstance(to, list) else []
    if not others:
        return "{}"
    remaining = json.dumps({**content, "to": others}, ensure_ascii=False, separators=(",", ":"))
    return "{}" if any(line_id in remaining for line_id in line_ids) else remaining


def _delete_rows_with(connection: Connection, column: Column[object], person: Iterable[Identifier]) -> int:
    condition = or_(*(_contains_identifier(column, name) for name in person))
    return connection.execute(delete(column.table).where(condition)).rowcount


def _contains_identifier(column: Column[object], identifier: Identifier) -> ColumnElement[bool]:
    """Return the condition that a JSON column contains an identifier: as a string in any case, or as a numeric id."""
    value = identifier.value
    as_string = _contains(column, json.dumps(value, ensure_ascii=False))
    if identifier.kind is IdentifierKind.ID and value.isdigit():
        return or_(as_string, *(_contains(column, f'"id":{value}{end}') for end in ",}"))
    return as_string


def _contains(column: Column[object], text: str) -> ColumnElement[bool]:
    return func.lower(cast(column, String)).contains(text.lower(), autoescape=True)
