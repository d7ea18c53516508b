"""Whom a message record is for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_chat_id
from target_line.identity.identifiers import identifier_of
from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUDIENCE = re.compile(r"audience:([0-9]{1,18})")
_NARROWCAST_PARTS = frozenset({"recipient", "filter", "limit"})
_CHAT_COLUMNS = ("group_id", "room_id")
_COLUMNS = (*(kind.value for kind in IdentifierKind), *_CHAT_COLUMNS, "recipient")


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
    found = [(column, record[column]) for column in _COLUMNS if column in record and not _is_empty(record[column])]
    if len(found) != 1:
        columns = ", ".join(_COLUMNS)
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"exactly one of {columns} is needed, found {len(found)}")
    ((column, value),) = found
    if column == "recipient":
        return _named(value)
    if column in _CHAT_COLUMNS or (column == IdentifierKind.LINE_ID and is_chat_id(value)):
        return _chat(value)
    identifier = identifier_of(IdentifierKind(column), value, provider)
    if identifier is None:
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"{column} {value!r} names nobody")
    return Person(identifier)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


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
