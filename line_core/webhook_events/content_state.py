"""What became of a message after it was sent: edited, or taken back.

Pure. The state is a function of the set of events about a message, whatever order they arrive in.

Sources: LINE Messaging API reference, "Edit event" (the largest timestamp is the latest text) and "Unsend event";
guide "Receive messages", "Processing on receipt of unsend event" (a message that was taken back must not be seen or
used any more).
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

_KEPT_OF_A_MESSAGE = ("id", "type")


class MessageState(StrEnum):
    """State of an event that holds a message's content."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    UNSENT = "unsent"


class MessageEvent(NamedTuple):
    """What of an event about a message decides on states."""

    position: int
    webhook_event_id: str
    type: str
    occurred_at: datetime


def settle(about_one_message: Sequence[MessageEvent]) -> dict[int, MessageState]:
    """Say which event holds the message's current content.

    Args:
        about_one_message: All stored events with one message id of one channel, in any order.

    Returns:
        The state of each event that can hold content, by position.
    """
    holders = [event for event in about_one_message if event.type != UNSEND]
    if len(holders) < len(about_one_message):
        return {event.position: MessageState.UNSENT for event in holders}
    texts = [event for event in holders if event.type in CONTENT_TYPES]
    newest = max(texts, key=lambda event: (event.occurred_at, event.webhook_event_id), default=None)
    return {event.position: MessageState.CURRENT if event is newest else MessageState.SUPERSEDED for event in texts}


def blank(payload: str) -> str:
    """Take a message's content out of an event; what kind of message it was, and from whom, stays.

    Args:
        payload: The event's JSON text.
    """
    members = split_object(payload)
    message = split_object(members["message"])
    kept = {name: message[name] for name in _KEPT_OF_A_MESSAGE if name in message}
    return join_object(members | {"message": join_object(kept)})
