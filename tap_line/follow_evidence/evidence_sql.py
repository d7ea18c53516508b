"""SQL of follow evidence: follow events of the inbox, the table `findings`, and the last requests in `contacts`.

`findings` keeps lists and profile checks that changed a person's follow state. `contacts` keeps the last list and the
last profile check of each person.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, false, func, literal_column, select, union

from line_core.follow_state import FollowState
from line_core.store.dialects import in_values, insert_many
from line_core.store.tables.audience import contacts, findings
from line_core.store.tables.inbox import events
from tap_line.event_records.payload import read_payload
from tap_line.follow_evidence.friendship import FollowEvidence, FollowSignal, derive_friendship

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from tap_line.follow_evidence.friendship import Friendship

_PAGE_SIZE = 1000
# SQLite uses the partial index only if the query contains exactly the text of the index's condition.
_IS_FOLLOW_EVENT = "events.type IN ('follow', 'unfollow')"


@dataclass(frozen=True, slots=True)
class EvidenceCursor:
    """Position up to which evidence has been read: the last inbox position and the last finding."""

    position: int = 0
    finding_id: int = 0


def read_friendships(connection: Connection, channel: str, line_ids: Collection[str]) -> dict[str, Friendship]:
    """Return the friendship of each person with evidence, by LINE ID."""
    return {line_id: derive_friendship(pieces) for line_id, pieces in _read(connection, channel, line_ids).items()}


def insert_state_changes(
    connection: Connection, channel: str, signals: Mapping[str, FollowSignal], at: datetime
) -> int:
    """Insert a finding for each signal that changes the person's follow state.

    Args:
        connection: A transaction of `store.write(lock="audience")`.
        channel: Name of the channel.
        signals: One signal by LINE ID.
        at: Time of the signals.

    Returns:
        Number of findings inserted.
    """
    if all(signal.state is FollowState.FOLLOWING for signal in signals.values()) and _all_known_followers(
        connection, channel, signals
    ):
        return 0
    known = _read(connection, channel, signals)
    changes = [
        {"channel": channel, "line_id": line_id, "finding": signal.value, "found_at": at}
        for line_id, signal in signals.items()
        if _changes_state(known[line_id], FollowEvidence(at, signal))
    ]
    if changes:
        insert_many(connection, findings, changes)
    return len(changes)


def people_with_evidence(
    connection: Connection, channel: str, after: str, *, not_listed_since: datetime | None = None
) -> list[str]:
    """Return the next page of up to 1,000 LINE IDs with follow events or findings, by LINE ID.

    Args:
        connection: Any transaction.
        channel: Name of the channel.
        after: The last LINE ID of the previous page; empty for the first page.
        not_listed_since: Leave out people whom LINE has listed as followers since this time.
    """

    def page(line_id: ColumnElement[str], *conditions: ColumnElement[bool]) -> Select[str]:
        query = select(line_id).where(*conditions, line_id > after)
        if not_listed_since:
            query = query.where(
                ~exists().where(
                    contacts.c.channel == channel,
                    contacts.c.line_id == line_id,
                    contacts.c.listed_at >= not_listed_since,
                )
            )
        return query.group_by(line_id).order_by(line_id).limit(_PAGE_SIZE)

    with_events = page(events.c.line_id, literal_column(_IS_FOLLOW_EVENT), events.c.channel == channel)
    with_findings = page(findings.c.line_id, findings.c.channel == channel)
    both = union(select(with_events.subquery()), select(with_findings.subquery())).subquery()
    return list(connection.scalars(select(both.c.line_id).order_by(both.c.line_id).limit(_PAGE_SIZE)))


def changed_people(
    connection: Connection, cursor: EvidenceCursor, limit: int = _PAGE_SIZE
) -> tuple[list[tuple[str, str]], EvidenceCursor]:
    """Return the people with new evidence, in the order of its arrival.

    Args:
        connection: Any transaction.
        cursor: Position up to which evidence has been read.
        limit: Maximum number of events, and of findings, to read.

    Returns:
        Channel and LINE ID of each person, without duplicates, and the new cursor. The cursor does not change if there
        is no new evidence.
    """
    new_events = connection.execute(
        select(events.c.channel, events.c.line_id, events.c.position)
        .where(literal_column(_IS_FOLLOW_EVENT), events.c.position > cursor.position)
        .order_by(events.c.position)
        .limit(limit)
    ).all()
    new_findings = connection.execute(
        select(findings.c.channel, findings.c.line_id, findings.c.finding_id)
        .where(findings.c.finding_id > cursor.finding_id)
        .order_by(findings.c.finding_id)
        .limit(limit)
    ).all()
    people = dict.fromkeys((channel, line_id) for channel, line_id, _ in (*new_events, *new_findings) if line_id)
    next_cursor = EvidenceCursor(
        new_events[-1].position if new_events else cursor.position,
        new_findings[-1].finding_id if new_findings else cursor.finding_id,
    )
    return list(people), next_cursor


def _all_known_followers(connection: Connection, channel: str, line_ids: Collection[str]) -> bool:
    """Return whether LINE has listed all of the people, and no later evidence says that one of them unfollowed.

    This is true for almost every page of followers. One count replaces reading all of their evidence.
    """
    since = contacts.c.listed_at
    unfollow_event = exists().where(
        literal_column(_IS_FOLLOW_EVENT),
        events.c.channel == contacts.c.channel,
        events.c.line_id == contacts.c.line_id,
        events.c.type == "unfollow",
        events.c.occurred_at >= since,
    )
    unfollowed_finding = exists().where(
        findings.c.channel == contacts.c.channel,
        findings.c.line_id == contacts.c.line_id,
        findings.c.finding.in_([signal.value for signal in FollowSignal if signal.state is FollowState.UNFOLLOWED]),
        findings.c.found_at >= since,
    )
    unreachable = and_(contacts.c.is_reachable.is_(False), contacts.c.checked_at >= since)
    known_followers = select(func.count()).where(
        contacts.c.channel == channel,
        in_values(connection, contacts.c.line_id, line_ids),
        since.is_not(None),
        ~unfollow_event,
        ~unfollowed_finding,
        ~func.coalesce(unreachable, false()),
    )
    return connection.scalar(known_followers) == len(line_ids)


def _read(connection: Connection, channel: str, line_ids: Collection[str]) -> defaultdict[str, list[FollowEvidence]]:
    """Return all evidence about the people, by LINE ID."""
    evidence: defaultdict[str, list[FollowEvidence]] = defaultdict(list)
    follow_events = select(events.c.line_id, events.c.type, events.c.occurred_at, events.c.payload).where(
        literal_column(_IS_FOLLOW_EVENT), events.c.channel == channel, in_values(connection, events.c.line_id, line_ids)
    )
    for line_id, event_type, at, payload in connection.execute(follow_events):
        evidence[line_id].append(FollowEvidence(at, _event_signal(event_type, payload)))
    state_changes = select(findings.c.line_id, findings.c.finding, findings.c.found_at).where(
        findings.c.channel == channel, in_values(connection, findings.c.line_id, line_ids)
    )
    for line_id, finding, at in connection.execute(state_changes):
        evidence[line_id].append(FollowEvidence(at, FollowSignal(finding)))
    last_requests = select(contacts).where(
        contacts.c.channel == channel, in_values(connection, contacts.c.line_id, line_ids)
    )
    for contact in connection.execute(last_requests):
        if contact.listed_at:
            evidence[contact.line_id].append(FollowEvidence(contact.listed_at, FollowSignal.LISTED))
        if contact.checked_at:
            signal = FollowSignal.REACHABLE if contact.is_reachable else FollowSignal.UNREACHABLE
            evidence[contact.line_id].append(FollowEvidence(contact.checked_at, signal))
    return evidence


def _changes_state(known: list[FollowEvidence], new: FollowEvidence) -> bool:
    return derive_friendship([*known, new]).state is not derive_friendship(known).state


def _event_signal(event_type: str, payload: str) -> FollowSignal:
    if event_type == "unfollow":
        return FollowSignal.UNFOLLOWED
    follow = read_payload(payload).get("follow")
    is_unblocked = isinstance(follow, dict) and follow.get("isUnblocked") is True
    return FollowSignal.UNBLOCKED if is_unblocked else FollowSignal.FOLLOWED
