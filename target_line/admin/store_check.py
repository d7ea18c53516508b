"""Check of the store's invariants: what must be true of its rows at any time, whatever was interrupted."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, case, exists, select

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence
from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.results import MergeRule
from line_core.message_status import MessageStatus
from line_core.store.saved_policy import load_policy
from line_core.store.tables import identity, ledger
from target_line.identity.cluster_queries import SHARED, last_cluster, shared_identifiers
from target_line.identity.erased import ErasedIdentifiers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from line_core.store import Store

_PAGE_SIZE = 1000
"""Rows fetched together."""


class BrokenStoreError(LineError):
    """The store does not keep its invariants."""


class BrokenInvariant(NamedTuple):
    """A row that must not be as it is."""

    table: str
    key: str
    problem: str


def check_store(store: Store) -> Iterator[BrokenInvariant]:
    """Yield what is broken in the parts of the store that hold identities and messages."""
    erased = ErasedIdentifiers(store)
    with store.read() as connection:
        # All queries see one snapshot, so a run at the same time is not seen as a defect.
        yield from _check_clusters(connection, erased)
        yield from _check_merges(connection)
        yield from _check_ledger(connection)
    yield from _check_policy(store)


def _check_clusters(connection: Connection, erased: ErasedIdentifiers) -> Iterator[BrokenInvariant]:
    """Compare clusters and identifiers, both read once in the order of clusters."""
    last = last_cluster(connection)
    shared = shared_identifiers(connection)
    table, names = identity.clusters.c, identity.identifiers.c
    rows = _stream(connection, select(table.cluster_id, table.evidence).order_by(table.cluster_id))
    by_name = select(names.cluster_id, names.kind, names.provider, names.value).order_by(names.cluster_id)
    groups = groupby(_stream(connection, by_name), key=lambda row: int(row.cluster_id))
    cluster, members = next(groups, (None, iter(())))

    def named_before(number: int | None) -> Iterator[BrokenInvariant]:
        """Yield the identifiers of clusters that do not exist, up to a cluster."""
        nonlocal cluster, members
        while cluster is not None and (number is None or cluster < number):
            for name in map(_identifier, members):
                if name in erased:
                    yield BrokenInvariant("identifiers", str(name), "it was erased, and is in the store")
                if cluster != SHARED:
                    yield BrokenInvariant("identifiers", str(name), f"its cluster {cluster} does not exist")
            cluster, members = next(groups, (None, iter(())))

    for number, encoded in rows:
        yield from named_before(number)
        found = set(map(_identifier, members)) if cluster == number else set()
        if cluster == number:
            cluster, members = next(groups, (None, iter(())))
        if number > last or number <= SHARED:
            yield BrokenInvariant("identity_clusters", str(number), f"the last number used is {last}")
        yield from _check_cluster(number, encoded, found, shared, erased)
    yield from named_before(None)


def _check_cluster(
    number: int, encoded: str, found: set[Identifier], shared: set[Identifier], erased: ErasedIdentifiers
) -> Iterator[BrokenInvariant]:
    try:
        evidence = decode_evidence(encoded)
    except ValueError as error:  # of json and of msgspec
        yield BrokenInvariant("identity_clusters", str(number), f"its evidence cannot be read: {type(error).__name__}")
        return
    named = evidence.identifiers()
    if not named:
        yield BrokenInvariant("identity_clusters", str(number), "it has no evidence")
    for name in sorted(found - named):
        yield BrokenInvariant("identifiers", str(name), f"cluster {number} does not contain it")
    for name in sorted(named - found):
        yield BrokenInvariant("identity_clusters", str(number), f"no row refers {name} to it")
    for name in sorted(evidence.shared - shared):
        yield BrokenInvariant("identifiers", str(name), f"cluster {number} has it as shared, its row does not")
    for name in sorted(named | evidence.shared):
        if name in erased:
            yield BrokenInvariant("identity_clusters", str(number), f"{name} was erased, and is in its evidence")


def _check_merges(connection: Connection) -> Iterator[BrokenInvariant]:
    table = identity.merges.c
    columns = (table.merge_id, table.rule, table.survivor, table.absorbed, table.identifier, table.before)
    for merge_id, rule, *names, before in _stream(connection, select(*columns).order_by(table.merge_id)):
        problems = [] if rule in set(MergeRule) else [f"the rule {rule!r} is unknown"]
        problems += [f"{name!r} is not an identifier" for name in names if not _is_identifier(name)]
        if not isinstance(before, list):
            problems.append("the profiles before it are not a list")
        yield from (BrokenInvariant("merges", str(merge_id), problem) for problem in problems)


def _check_ledger(connection: Connection) -> Iterator[BrokenInvariant]:
    messages, requests = ledger.messages.c, ledger.requests.c
    sent = (MessageStatus.CLAIMED, MessageStatus.ACCEPTED, MessageStatus.UNKNOWN)
    joined = ledger.messages.outerjoin(ledger.requests, messages.retry_key == requests.retry_key)
    problem = case(
        (messages.status.not_in(list(MessageStatus)), "its status is unknown"),
        (and_(messages.status.in_(sent), messages.retry_key.is_(None)), "it has no request"),
        (
            and_(
                messages.status.in_((MessageStatus.SCHEDULED, MessageStatus.SKIPPED)), messages.retry_key.is_not(None)
            ),
            "it has a request, and is not sent",
        ),
        (and_(messages.retry_key.is_not(None), requests.retry_key.is_(None)), "its request does not exist"),
        (messages.channel != requests.channel, "its request is of another channel"),
        (messages.status != requests.status, "its request has another status"),
    )
    broken = select(messages.channel, messages.message_id, problem.label("problem")).select_from(joined)
    for channel, message_id, found in _stream(connection, broken.where(problem.is_not(None))):
        yield BrokenInvariant("messages", f"{channel} {message_id}", found)
    of_request = exists().where(messages.retry_key == requests.retry_key)
    known = (*sent, MessageStatus.REJECTED)
    without_messages: ColumnElement[bool] = and_(requests.status.in_(sent), ~of_request)
    problem = case(
        (requests.status.not_in(known), "its status is unknown"),
        (without_messages, "no message belongs to it"),
        (and_(requests.status != MessageStatus.CLAIMED, requests.finished_at.is_(None)), "it has no time of its end"),
    )
    broken = select(requests.retry_key, problem.label("problem")).where(problem.is_not(None))
    for retry_key, found in _stream(connection, broken):
        yield BrokenInvariant("requests", retry_key, found)


def _check_policy(store: Store) -> Iterator[BrokenInvariant]:
    try:
        load_policy(store)
    except ValueError as error:
        yield BrokenInvariant("identity_policy", "1", f"it cannot be read: {error}")


def _stream(connection: Connection, query: Any) -> Iterator[Any]:  # noqa: ANN401 - a Select of any columns
    yield from connection.execution_options(yield_per=_PAGE_SIZE).execute(query)


def _identifier(row: Sequence[Any]) -> Identifier:
    return Identifier(IdentifierKind(row[1]), row[2], row[3])


def _is_identifier(text: str) -> bool:
    try:
        Identifier.parse(text)
    except ValueError:
        return False
    return True
