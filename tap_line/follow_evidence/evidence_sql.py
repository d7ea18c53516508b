"""Keep and read the evidence about people: SQL, and nothing but."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, exists, false, func, literal_column, or_, select, union

from line_core.follow_state import FollowState
from line_core.ids import is_line_id
from line_core.store.dialects import in_values, insert_many, insert_on_conflict
from line_core.store.tables.audience import contacts, findings
from line_core.store.tables.inbox import events
from tap_line.event_records.payload import read_payload
from tap_line.follow_evidence.friendship import Evidence, FollowSignal, Friendship, friendship_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

_PAGE_SIZE = 1000
_INBOX_PAGE_SIZE = 5000
# In these words the partial index says it, and SQLite compares words.
_IS_FOLLOW = "events.type IN ('follow', 'unfollow')"


@dataclass(frozen=True, slots=True)
class Marks:
    """How far changes of friendships have been read: an inbox position and a finding."""

    position: int = 0
    finding_id: int = 0


@dataclass(frozen=True, slots=True)
class Checks:
    """The profile checks of one pipeline in a span of time."""

    pipeline: str
    since: datetime
    until: datetime


def friendships(connection: Connection, channel: str, line_ids: Collection[str]) -> dict[str, Friendship]:
    """What is known of some people; those of whom nothing is known are left out."""
    return {line_id: friendship_of(pieces) for line_id, pieces in _evidence(connection, channel, line_ids).items()}


def note(connection: Connection, channel: str, whats: Mapping[str, FollowSignal], at: datetime) -> int:
    """Keep those findings about people that are news: that change their follow state.

    Args:
        connection: A transaction of `store.write(lock="audience")`.
        channel: The channel's name.
        whats: FollowSignal was found, by LINE ID.
        at: When that was so.

    Returns:
        How many were news.
    """
    if all(what.state is FollowState.FOLLOWING for what in whats.values()) and _all_listed(connection, channel, whats):
        return 0
    known = _evidence(connection, channel, whats)
    news = [
        {"channel": channel, "line_id": line_id, "finding": what.value, "found_at": at}
        for line_id, what in whats.items()
        if _changes(known[line_id], Evidence(at, what))
    ]
    if news:
        insert_many(connection, findings, news)
    return len(news)


def keep_contacts(connection: Connection, channel: str, contents: Mapping[str, Mapping[str, object]]) -> None:
    """Keep the last look at people, whether it was news or not.

    Args:
        connection: A transaction of `store.write(lock="audience")`.
        channel: The channel's name.
        contents: By LINE ID the columns of `contacts` to set, the same for each.
    """
    if not contents:
        return
    new = insert_on_conflict(connection, contacts)
    columns = next(iter(contents.values()))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["channel", "line_id"], set_={name: new.excluded[name] for name in columns}
        ),
        [{"channel": channel, "line_id": line_id, **content} for line_id, content in contents.items()],
    )


def known_people(
    connection: Connection, channel: str, after: str, *, not_listed_since: datetime | None = None
) -> list[str]:
    """The next thousand LINE IDs of whom there is evidence, in their order.

    Args:
        connection: Any transaction.
        channel: The channel's name.
        after: The last LINE ID before them; empty to begin with.
        not_listed_since: Only people whom LINE has not listed as followers since then.
    """

    def next_of(line_id: ColumnElement[str], *conditions: ColumnElement[bool]) -> Select[str]:
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

    by_event = next_of(events.c.line_id, literal_column(_IS_FOLLOW), events.c.channel == channel)
    by_finding = next_of(findings.c.line_id, findings.c.channel == channel)
    both = union(select(by_event.subquery()), select(by_finding.subquery())).subquery()
    return list(connection.scalars(select(both.c.line_id).order_by(both.c.line_id).limit(_PAGE_SIZE)))


def last_marks(connection: Connection) -> Marks:
    """Where the evidence ends now."""
    return Marks(
        connection.scalar(select(func.max(events.c.position))) or 0,
        connection.scalar(select(func.max(findings.c.finding_id))) or 0,
    )


def changed_people(
    connection: Connection, since: Marks, limit: int = _PAGE_SIZE
) -> tuple[list[tuple[str, str]], Marks]:
    """People of whom there is new evidence, in the order in which it came.

    Args:
        connection: Any transaction.
        since: How far the evidence has been read.
        limit: Most events, and most findings, to look at.

    Returns:
        Channel and LINE ID of each, once; and how far that goes: as far as before at the end of the evidence.
    """
    new_events = connection.execute(
        select(events.c.channel, events.c.line_id, events.c.position)
        .where(literal_column(_IS_FOLLOW), events.c.position > since.position)
        .order_by(events.c.position)
        .limit(limit)
    ).all()
    new_findings = connection.execute(
        select(findings.c.channel, findings.c.line_id, findings.c.finding_id)
        .where(findings.c.finding_id > since.finding_id)
        .order_by(findings.c.finding_id)
        .limit(limit)
    ).all()
    people = dict.fromkeys((channel, line_id) for channel, line_id, _ in (*new_events, *new_findings) if line_id)
    marks = Marks(
        new_events[-1].position if new_events else since.position,
        new_findings[-1].finding_id if new_findings else since.finding_id,
    )
    return list(people), marks


def people_in_inbox(connection: Connection, channel: str, after_position: int) -> tuple[set[str], int | None]:
    """Who sent the next few thousand events.

    Returns:
        Their LINE IDs, and the position of the last of the events: None at the end of the inbox.
    """
    rows = connection.execute(
        select(events.c.line_id, events.c.channel, events.c.position)
        .where(events.c.position > after_position)
        .order_by(events.c.position)
        .limit(_INBOX_PAGE_SIZE)
    ).all()
    line_ids = {row.line_id for row in rows if row.channel == channel and is_line_id(row.line_id)}
    return line_ids, rows[-1].position if rows else None


def add_contacts(connection: Connection, channel: str, line_ids: Collection[str]) -> None:
    """Keep people whom the store has no row of."""
    rows = [{"channel": channel, "line_id": line_id} for line_id in line_ids]
    if rows:
        connection.execute(insert_on_conflict(connection, contacts).on_conflict_do_nothing(), rows)


def contacts_after(
    connection: Connection, channel: str, after: str, *, not_listed_since: datetime | None = None
) -> list[str]:
    """The next thousand people that the store has a row of, in the order of their LINE IDs; see `known_people`."""
    query = select(contacts.c.line_id).where(contacts.c.channel == channel, contacts.c.line_id > after)
    if not_listed_since:
        query = query.where(or_(contacts.c.listed_at.is_(None), contacts.c.listed_at < not_listed_since))
    return list(connection.scalars(query.order_by(contacts.c.line_id).limit(_PAGE_SIZE)))


def count_contacts(connection: Connection, channel: str, *, listed: bool) -> int:
    """How many people the store has a row of: all, or those whom LINE ever listed as followers."""
    query = select(func.count()).select_from(contacts).where(contacts.c.channel == channel)
    if listed:
        query = query.where(contacts.c.listed_at.is_not(None))
    return connection.scalar(query) or 0


def inbox_channels(connection: Connection) -> list[str]:
    """Names of the channels that have events, in their order."""
    names: list[str] = []
    # One look into the index for each channel, however many events there are.
    while name := connection.scalar(select(func.min(events.c.channel)).where(events.c.channel > (names or [""])[-1])):
        names.append(name)
    return names


def checked_people(connection: Connection, channel: str, line_ids: Collection[str], checks: Checks) -> set[str]:
    """Those of some people whose last profile check is one of these."""
    return set(
        connection.scalars(
            select(contacts.c.line_id).where(
                contacts.c.channel == channel,
                in_values(connection, contacts.c.line_id, line_ids),
                contacts.c.checked_at > checks.since,
                contacts.c.checked_at <= checks.until,
                contacts.c.checked_for == checks.pipeline,
            )
        )
    )


def contacts_among(connection: Connection, channel: str, line_ids: Collection[str]) -> set[str]:
    """Those of some people that the store has a row of."""
    return set(
        connection.scalars(
            select(contacts.c.line_id).where(
                contacts.c.channel == channel, in_values(connection, contacts.c.line_id, line_ids)
            )
        )
    )


def _all_listed(connection: Connection, channel: str, line_ids: Collection[str]) -> bool:
    """Whether all of some people follow for certain: listed, and nothing has spoken against it since.

    Answers by one count what is so for nearly everybody, and would else take all evidence to tell.
    """
    since = contacts.c.listed_at
    unfollowed = exists().where(
        literal_column(_IS_FOLLOW),
        events.c.channel == contacts.c.channel,
        events.c.line_id == contacts.c.line_id,
        events.c.type == "unfollow",
        events.c.occurred_at >= since,
    )
    found_gone = exists().where(
        findings.c.channel == contacts.c.channel,
        findings.c.line_id == contacts.c.line_id,
        findings.c.finding.in_([what.value for what in FollowSignal if what.state is FollowState.UNFOLLOWED]),
        findings.c.found_at >= since,
    )
    unreachable = and_(contacts.c.is_reachable.is_(False), contacts.c.checked_at >= since)
    certain = select(func.count()).where(
        contacts.c.channel == channel,
        in_values(connection, contacts.c.line_id, line_ids),
        since.is_not(None),
        ~unfollowed,
        ~found_gone,
        ~func.coalesce(unreachable, false()),
    )
    return connection.scalar(certain) == len(line_ids)


def _evidence(connection: Connection, channel: str, line_ids: Collection[str]) -> defaultdict[str, list[Evidence]]:
    evidence: defaultdict[str, list[Evidence]] = defaultdict(list)
    follow_events = select(events.c.line_id, events.c.type, events.c.occurred_at, events.c.payload).where(
        literal_column(_IS_FOLLOW), events.c.channel == channel, in_values(connection, events.c.line_id, line_ids)
    )
    for line_id, kind, at, payload in connection.execute(follow_events):
        evidence[line_id].append(Evidence(at, _what_happened(kind, payload)))
    found = select(findings.c.line_id, findings.c.finding, findings.c.found_at).where(
        findings.c.channel == channel, in_values(connection, findings.c.line_id, line_ids)
    )
    for line_id, finding, at in connection.execute(found):
        evidence[line_id].append(Evidence(at, FollowSignal(finding)))
    looks = select(contacts).where(contacts.c.channel == channel, in_values(connection, contacts.c.line_id, line_ids))
    for contact in connection.execute(looks):
        if contact.listed_at:
            evidence[contact.line_id].append(Evidence(contact.listed_at, FollowSignal.LISTED))
        if contact.checked_at:
            what = FollowSignal.REACHABLE if contact.is_reachable else FollowSignal.UNREACHABLE
            evidence[contact.line_id].append(Evidence(contact.checked_at, what))
    return evidence


def _changes(known: list[Evidence], new: Evidence) -> bool:
    return friendship_of([*known, new]).state is not friendship_of(known).state


def _what_happened(kind: str, payload: str) -> FollowSignal:
    if kind == "unfollow":
        return FollowSignal.UNFOLLOWED
    follow = read_payload(payload).get("follow")
    return (
        FollowSignal.UNBLOCKED
        if isinstance(follow, dict) and follow.get("isUnblocked") is True
        else FollowSignal.FOLLOWED
    )
