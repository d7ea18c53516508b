"""Whom a message record is for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.ids import is_chat_id
from target_line.identity.records import identifiers_of
from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_line.identity.model import Identifier

_AUDIENCE = re.compile(r"audience:([0-9]{1,18})")
_NARROWCAST_PARTS = frozenset({"recipient", "filter", "limit"})
_COLUMNS = "line_id, id, email, group_id, room_id and recipient"


@dataclass(frozen=True, slots=True)
class Person:
    """The person whom an identifier names."""

    identifier: Identifier


@dataclass(frozen=True, slots=True)
class Chat:
    """A group chat or a multi-person chat that the bot is in."""

    chat_id: str


@dataclass(frozen=True, slots=True)
class Everyone:
    """All friends of the channel: a broadcast."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Friends whom LINE chooses: a narrowcast."""

    narrowcast: dict[str, Any]
    """Any of `recipient`, `filter` and `limit`, as in LINE's narrowcast request."""


Recipient = Person | Chat | Everyone | Selection


def parse_recipient(record: Mapping[str, Any], provider: str) -> Recipient:
    """Read the one recipient of a `messages` record.

    Args:
        record: Exactly one of `line_id`, `id`, `email`, `group_id` (`C…`), `room_id` (`R…`), and `recipient`:
            `everyone`, `audience:<audience group id>`, a group or room id, or the recipient, filter and limit of a
            narrowcast (an object, or its JSON text).
        provider: Provider that issued the LINE ID.

    Raises:
        RejectedRecordError: It names nobody or several, or what it names is malformed.
    """
    chats = [value for column in ("group_id", "room_id") if (value := record.get(column)) not in (None, "")]
    if is_chat_id(record.get("line_id")):
        chats.append(record["line_id"])
        record = {**record, "line_id": None}
    found: list[Recipient] = [*map(Person, identifiers_of(record, provider)), *map(_chat, chats)]
    if (named := record.get("recipient")) not in (None, ""):
        found.append(_named(named))
    if len(found) != 1:
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"exactly one of {_COLUMNS} is needed, found {len(found)}")
    return found[0]


def _chat(value: object) -> Chat:
    if not is_chat_id(value):
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"{value!r} is not C or R and 32 hexadecimal digits")
    return Chat(str(value))


def _named(value: object) -> Recipient:
    if value == "everyone":
        return Everyone()
    if isinstance(value, str) and (audience := _AUDIENCE.fullmatch(value)):
        return Selection({"recipient": {"type": "audience", "audienceGroupId": int(audience[1])}})
    if is_chat_id(value):
        return Chat(str(value))
    try:
        selection = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        selection = None
    if not isinstance(selection, dict) or not selection or selection.keys() - _NARROWCAST_PARTS:
        words = "everyone, audience:<id>, a group or room id, or an object of recipient, filter and limit"
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"recipient {value!r} is none of: {words}")
    return Selection(selection)
