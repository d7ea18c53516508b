"""The groups and rooms that the inbox has seen: LINE does not list those that a bot is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.ids import is_line_id
from line_core.store.tables.inbox import events

if TYPE_CHECKING:
    from line_core.store import Store


@dataclass(frozen=True, slots=True, order=True)
class Chat:
    """A group, or a room (multi-person chat)."""

    chat_id: str
    kind: str
    """group or room, as LINE's paths have it."""

    @property
    def path(self) -> str:
        """Where LINE's API has it."""
        return f"/v2/bot/{self.kind}/{self.chat_id}"


def chats_in_inbox(store: Store, channel: str | None) -> list[Chat]:
    """The chats of a channel's events, or of all channels', in the order of their ids."""
    query = select(events.c.chat_id, events.c.source_type).where(
        events.c.chat_id.is_not(None), events.c.source_type.in_(("group", "room"))
    )
    if channel is not None:
        query = query.where(events.c.channel == channel)
    with store.read() as connection:
        return sorted(Chat(*row) for row in connection.execute(query.distinct()))


def people_in_chat(store: Store, chat: Chat) -> list[str]:
    """LINE IDs of those whose events came from a chat, in their order."""
    query = select(events.c.line_id).where(events.c.chat_id == chat.chat_id).distinct()
    with store.read() as connection:
        return sorted(line_id for line_id in connection.scalars(query) if is_line_id(line_id))
