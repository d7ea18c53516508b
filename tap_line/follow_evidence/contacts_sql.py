"""SQL of the table `contacts`: the people known to the tap, with the last list and the last profile check of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from line_core.store.dialects import in_values, insert_on_conflict
from line_core.store.tables.audience import contacts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class ProfileChecks:
    """The profile checks of one pipeline in a time range."""

    pipeline: str
    after: datetime
    """Exclusive start."""
    until: datetime
    """Inclusive end."""


def upsert_contacts(connection: Connection, channel: str, columns: Mapping[str, Mapping[str, object]]) -> None:
    """Insert contacts, or update the given columns of existing contacts.

    Args:
        connection: A transaction of `store.write(lock="audience")`.
        channel: Name of the channel.
        columns: Values by column name, by LINE ID. All contacts must have the same columns.
    """
    if not columns:
        return
    new = insert_on_conflict(connection, contacts)
    names = next(iter(columns.values()))
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["channel", "line_id"], set_={name: new.excluded[name] for name in names}
        ),
        [{"channel": channel, "line_id": line_id, **values} for line_id, values in columns.items()],
    )


def insert_contacts(connection: Connection, channel: str, line_ids: Collection[str]) -> None:
    """Insert contacts; existing contacts stay as they are."""
    rows = [{"channel": channel, "line_id": line_id} for line_id in line_ids]
    if rows:
        connection.execute(insert_on_conflict(connection, contacts).on_conflict_do_nothing(), rows)


def contacts_after(
    connection: Connection, channel: str, after: str, *, not_listed_since: datetime | None = None
) -> list[str]:
    """Return the next page of contacts, by LINE ID.

    Args:
        connection: Any transaction.
        channel: Name of the channel.
        after: The last LINE ID of the previous page; empty for the first page.
        not_listed_since: Leave out people whom LINE has listed as followers since this time.
    """
    query = select(contacts.c.line_id).where(contacts.c.channel == channel, contacts.c.line_id > after)
    if not_listed_since:
        query = query.where(or_(contacts.c.listed_at.is_(None), contacts.c.listed_at < not_listed_since))
    return list(connection.scalars(query.order_by(contacts.c.line_id).limit(_PAGE_SIZE)))


def count_contacts(connection: Connection, channel: str, *, listed: bool) -> int:
    """Return the number of contacts: all, or only those that LINE has listed as followers."""
    query = select(func.count()).select_from(contacts).where(contacts.c.channel == channel)
    if listed:
        query = query.where(contacts.c.listed_at.is_not(None))
    return connection.scalar(query) or 0


def existing_contacts(connection: Connection, channel: str, line_ids: Collection[str]) -> set[str]:
    """Return those of the LINE IDs that are contacts."""
    query = select(contacts.c.line_id).where(
        contacts.c.channel == channel, in_values(connection, contacts.c.line_id, line_ids)
    )
    return set(connection.scalars(query))


def checked_people(connection: Connection, channel: str, line_ids: Collection[str], checks: ProfileChecks) -> set[str]:
    """Return those of the LINE IDs whose last profile check is one of `checks`."""
    query = select(contacts.c.line_id).where(
        contacts.c.channel == channel,
        in_values(connection, contacts.c.line_id, line_ids),
        contacts.c.checked_at > checks.after,
        contacts.c.checked_at <= checks.until,
        contacts.c.checked_for == checks.pipeline,
    )
    return set(connection.scalars(query))
