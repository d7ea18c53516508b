"""Groups and rooms with events in the inbox. LINE has no list of the groups that a bot is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.ids import is_line_id
from line_core.store.tables.inbox import events

if TYPE_CHECKING:
    from line_core.store import Store


@dataclass(frozen=True, slots=True, order=True)
class GroupChat:
    """A group, or a room (multi-person chat)."""

    group_id: str
    type: str
    """`group` or `room`, as in LINE's paths."""

    @property
    def path(self) -> str:
        """Base path of the group's endpoints."""
        return f"/v2/bot/{self.type}/{self.group_id}"


def groups_in_inbox(store: Store, channel: str | None) -> list[GroupChat]:
    """Return the groups and rooms of a channel's events (None: of all channels), sorted by ID."""
    query = select(events.c.chat_id, events.c.source_type).where(
        events.c.chat_id.is_not(None), events.c.source_type.in_(("group", "room"))
    )
    if channel is not None:
        query = query.where(events.c.channel == channel)
    with store.read() as connection:
        return sorted(GroupChat(*row) for row in connection.execute(query.distinct()))


def senders_in_group(store: Store, group: GroupChat) -> list[str]:
    """Return the LINE IDs of the people with events in a group, sorted."""
    query = select(events.c.line_id).where(events.c.chat_id == group.group_id).distinct()
    with store.read() as connection:
        return sorted(line_id for line_id in connection.scalars(query) if is_line_id(line_id))
