"""Forget a person on request: erase them everywhere, and know them again only to leave them alone.

What stays are keyed hashes of their identifiers. They tell whether a record speaks of a forgotten person, and nothing
else to whoever has not both the store and the guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, cast, delete, func, or_, select, update

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence, encode_evidence
from line_core.identity.model import Claim, Evidence, Identifier, IdentifierKind
from line_core.identity.rules import resolve
from line_core.message_status import MessageStatus
from line_core.store.dialects import insert_on_conflict
from line_core.store.inbox.erasure import erase_line_id
from line_core.store.tables import audience, identity, ledger
from line_core.store.tables.rejects import rejects
from target_line.identity.repository import UnknownPersonError
from target_line.identity.rows import clusters_of, documents_of
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column, ColumnElement, Connection

    from line_core.identity.policy import MergePolicy
    from line_core.store import Store


class SendInProgressError(LineError):
    """A message to the person is on its way, and its request must stay as it is until LINE has answered."""


class ErasedIdentifiers:
    """Tells whether an identifier is a forgotten person's."""

    def __init__(self, store: Store) -> None:
        """Read the hashes; few people ask to be forgotten."""
        with store.read() as connection:
            key = connection.execute(select(identity.forgetting_keys.c.key)).scalar_one_or_none()
            self._digests = set(connection.execute(select(identity.forgotten.c.digest)).scalars())
        self._key = bytes.fromhex(key) if key else b""

    def __bool__(self) -> bool:
        """Whether anybody was forgotten."""
        return bool(self._digests)

    def __contains__(self, identifier: Identifier) -> bool:
        """Whether it is."""
        return _digest(self._key, identifier) in self._digests


def erase_person(store: Store, policy: MergePolicy, identifier: Identifier) -> Counter[str]:
    """Erase the person whom an identifier names, with all of their identifiers.

    Of other people's records only the forgotten identifiers go. The ledger keeps message ids, so that nothing is sent
    again, without whom and what.

    Returns:
        How many rows of what were erased or changed.

    Raises:
        UnknownPersonError: The store knows nobody of that name.
        SendInProgressError: Something is being sent to them.
    """
    erased: Counter[str] = Counter()
    with store.write(lock="identity") as connection:
        person = _person(connection, policy, identifier)
        _refuse_under_way(connection, person)
        _remember_digests(connection, person)
    # Identity goes last: as long as it knows the person, the command can be given again after a crash.
    for line_id in sorted(name.value for name in person if name.kind is IdentifierKind.LINE_ID):
        with store.write(lock="inbox") as connection:
            erased["events"] += erase_line_id(connection, line_id)
        with store.write(lock="audience") as connection:
            for table in (audience.contacts, audience.findings):
                erased[table.name] += connection.execute(delete(table).where(table.c.line_id == line_id)).rowcount
    with store.write(lock="identity") as connection:
        person |= _person(connection, policy, identifier)
        _remember_digests(connection, person)
        erased["messages"] = _erase_ledger(connection, person)
        erased["rejects"] = _delete(connection, rejects.c.record, person)
        erased["merges"] = _erase_merges(connection, person)
        erased["identifiers"] = len(person)
        _erase_identity(connection, policy, person)
    return erased


def _person(connection: Connection, policy: MergePolicy, identifier: Identifier) -> frozenset[Identifier]:
    documents = documents_of(connection, set(clusters_of(connection, {identifier}).values()))
    for text in documents.values():
        return resolve(decode_evidence(text), policy).profile_of(identifier).identifiers
    if identifier.kind is IdentifierKind.LINE_ID:  # perhaps only the inbox knows it
        return frozenset({identifier})
    raise UnknownPersonError(f"nobody in the store has the {identifier.kind} that was given")


def _digest(key: bytes, identifier: Identifier) -> str:
    return hmac.digest(key, str(identifier).encode(), hashlib.sha256).hex()


def _remember_digests(connection: Connection, person: Iterable[Identifier]) -> None:
    keys = identity.forgetting_keys
    new = insert_on_conflict(connection, keys).values(key_id=1, key=secrets.token_hex(32))
    connection.execute(new.on_conflict_do_nothing())
    key = bytes.fromhex(connection.execute(select(keys.c.key)).scalar_one())
    now = datetime.now(UTC)
    rows = [{"digest": _digest(key, name), "forgotten_at": now} for name in sorted(person)]
    connection.execute(insert_on_conflict(connection, identity.forgotten).on_conflict_do_nothing(), rows)


def _erase_identity(connection: Connection, policy: MergePolicy, person: frozenset[Identifier]) -> None:
    cluster_of = clusters_of(connection, person)
    clusters, identifiers = identity.clusters, identity.identifiers
    for cluster, text in documents_of(connection, set(cluster_of.values())).items():
        rest = _without(decode_evidence(text), person, policy)
        if rest.identifiers():
            changed = {"evidence": encode_evidence(rest), "updated_at": datetime.now(UTC)}
            connection.execute(update(clusters).where(clusters.c.cluster_id == cluster).values(changed))
        else:
            connection.execute(delete(clusters).where(clusters.c.cluster_id == cluster))
    for kind, provider, value in person:
        its = identifiers.c
        connection.execute(
            delete(identifiers).where(its.kind == kind, its.provider == provider, its.value == value),
        )


def _without(evidence: Evidence, person: frozenset[Identifier], policy: MergePolicy) -> Evidence:
    rest = Evidence()
    for claim in evidence.claims.values():
        if min(claim.identifiers, key=policy.rank) not in person:
            left = tuple(name for name in claim.identifiers if name not in person)
            rest.add(Claim(left, claim.first_at, claim.last_at, dict(claim.attributes)))
    for follow in evidence.follows.values():
        if follow.line_id not in person:
            rest.add(follow)
    for cut in evidence.separations:
        if not person.intersection(cut):
            rest.add(cut)
    return rest


def _erase_merges(connection: Connection, person: Iterable[Identifier]) -> int:
    merges = identity.merges
    names = [str(name) for name in person]
    named = (column.in_(names) for column in (merges.c.survivor, merges.c.absorbed, merges.c.identifier))
    imaged = (_holds(merges.c.before, json.dumps(name, ensure_ascii=False)) for name in names)
    return connection.execute(delete(merges).where(or_(*named, *imaged))).rowcount


def _refuse_under_way(connection: Connection, person: Iterable[Identifier]) -> None:
    requests = ledger.requests
    speaks = or_(*(_mentions(requests.c.body, name) for name in person))
    query = select(requests.c.retry_key).where(requests.c.status == MessageStatus.CLAIMED, speaks).limit(1)
    if connection.execute(query).first():
        raise SendInProgressError("a message to the person is being sent; run target-line to its end first")


def _erase_ledger(connection: Connection, person: Iterable[Identifier]) -> int:
    """Empty what was sent to the person; what was to be sent is not."""
    messages, requests, plans = ledger.messages, ledger.requests, ledger.plans
    values = [name.value for name in person]
    now = datetime.now(UTC)
    theirs = or_(messages.c.line_id.in_(values), *(_mentions(messages.c.record, name) for name in person))
    scheduled = theirs & (messages.c.status == MessageStatus.SCHEDULED)
    skipped = {"status": MessageStatus.SKIPPED, "reason": Reason.FORGOTTEN}
    connection.execute(update(messages).where(scheduled).values(**skipped))
    empty: dict[str, Any] = {"record": {}, "line_id": None, "detail": None, "updated_at": now}
    emptied = connection.execute(update(messages).where(theirs).values(**empty)).rowcount
    for name in person:
        bodies = select(requests.c.retry_key, requests.c.body).where(_mentions(requests.c.body, name))
        for retry_key, body in connection.execute(bodies).all():
            kept = _body_without(body, values)
            connection.execute(update(requests).where(requests.c.retry_key == retry_key).values(body=kept))
    _delete(connection, plans.c.summary, person)
    return emptied


def _body_without(body: str, values: list[str]) -> str:
    """The body of a finished request to many, without some of them; one to the person alone is emptied."""
    content = json.loads(body)
    to = content.get("to")
    left = [line_id for line_id in to if line_id not in values] if isinstance(to, list) else []
    rest = json.dumps({**content, "to": left}, ensure_ascii=False, separators=(",", ":")) if left else "{}"
    return "{}" if any(value in rest for value in values) else rest


def _delete(connection: Connection, column: Column[object], person: Iterable[Identifier]) -> int:
    mentioned = or_(*(_mentions(column, name) for name in person))
    return connection.execute(delete(column.table).where(mentioned)).rowcount


def _mentions(column: Column[object], identifier: Identifier) -> ColumnElement[bool]:
    """That a JSON column holds an identifier, as a text, in any case, or as the number of an `id`."""
    value = identifier.value
    mentioned = _holds(column, json.dumps(value, ensure_ascii=False))
    if identifier.kind is IdentifierKind.ID and value.isdigit():
        return or_(mentioned, *(_holds(column, f'"id":{value}{end}') for end in ",}"))
    return mentioned


def _holds(column: Column[object], text: str) -> ColumnElement[bool]:
    return func.lower(cast(column, String)).contains(text.lower(), autoescape=True)
