"""State of a message's content after edit and unsend events.

Pure functions of the set of events about a message; the order of arrival does not matter.

Sources: LINE Messaging API reference, "Edit event" (the largest timestamp is the latest text) and "Unsend event";
guide "Receive messages", "Processing on receipt of unsend event" (the content of an unsent message must no longer be
shown or used).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from line_core.json_text import join_object, split_object

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

UNSEND: Final = "unsend"
CONTENT_TYPES: Final = frozenset({"message", "messageEdited"})
"""Types of events that hold the content of a message."""

_KEPT_MEMBERS = ("id", "type")


class ContentState(StrEnum):
    """State of the content that an event holds."""

    CURRENT = "current"
    """Newest content of the message."""
    SUPERSEDED = "superseded"
    """A newer edit exists."""
    UNSENT = "unsent"
    """The sender withdrew the message; the content is removed."""


class MessageEvent(NamedTuple):
    """The fields of an event about a message that determine content states."""

    position: int
    webhook_event_id: str
    type: str
    occurred_at: datetime


def content_states(events: Sequence[MessageEvent]) -> dict[int, ContentState]:
    """Return the content state of each event about one message.

    Args:
        events: All stored events with one message id of one channel, in any order.

    Returns:
        States by position. After an unsend event, every other event is `UNSENT`, including types that are not known.
    """
    others = [event for event in events if event.type != UNSEND]
    if len(others) < len(events):
        return {event.position: ContentState.UNSENT for event in others}
    contents = [event for event in others if event.type in CONTENT_TYPES]
    newest = max(contents, key=lambda event: (event.occurred_at, event.webhook_event_id), default=None)
    return {event.position: ContentState.CURRENT if event is newest else ContentState.SUPERSEDED for event in contents}


def remove_content(payload: str) -> str:
    """Return the JSON text of an event without the message's content. The message's id and type are kept."""
    members = split_object(payload)
    message = split_object(members["message"])
    kept = {name: message[name] for name in _KEPT_MEMBERS if name in message}
    return join_object(members | {"message": join_object(kept)})
