"""Recipients of `messages` records."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_chat_id
from target_line.identity.normalization import normalized_line_id
from target_line.reasons import Reason, RejectedRecordError, shown
from target_line.sending.read.json_columns import decode_json_column
from target_line.sending.templates.values import LONE_SURROGATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_line.identity.identifiers import IdentifierReader

_AUDIENCE = re.compile(r"audience:([0-9]{1,18})")
_NARROWCAST_MEMBERS = frozenset({"recipient", "filter", "limit"})
_CHAT_COLUMNS = ("group_id", "room_id")
_COLUMNS = (*(kind.value for kind in IdentifierKind), *_CHAT_COLUMNS, "recipient")
_EMPTY_TEXTS = frozenset({"", "null", "[]", "{}"})
"""Also the JSON texts of nothing."""


@dataclass(frozen=True, slots=True)
class PersonRecipient:
    """A person, named by an identifier of any kind."""

    identifier: Identifier


@dataclass(frozen=True, slots=True)
class ChatRecipient:
    """A group chat or a multi-person chat that the bot is a member of."""

    chat_id: str


@dataclass(frozen=True, slots=True)
class AllFollowers:
    """All followers of the channel (broadcast)."""


@dataclass(frozen=True, slots=True)
class NarrowcastRecipients:
    """Followers that LINE selects (narrowcast)."""

    conditions: dict[str, Any]
    """One or more of `recipient`, `filter` and `limit`, as in LINE's narrowcast request."""


Recipient = PersonRecipient | ChatRecipient | AllFollowers | NarrowcastRecipients


def parse_recipient(record: Mapping[str, Any], identifiers: IdentifierReader) -> Recipient:
    """Return the recipient of a `messages` record.

    Args:
        record: Has exactly one of `line_id`, `id`, `email`, `group_id` (`C…`), `room_id` (`R…`), and `recipient`. The
            column `recipient` has `everyone`, `audience:<audience group id>`, a group or room id, or the recipient,
            filter and limit of a narrowcast (an object, or its JSON text).
        identifiers: Reads the identifiers.

    Raises:
        RejectedRecordError: The record has no recipient, several recipients, or a malformed recipient.
    """
    found = [(column, record[column]) for column in _recipient_columns(record)]
    if len(found) != 1:
        columns = ", ".join(_COLUMNS)
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"exactly one of {columns} is required, found {len(found)}")
    ((column, value),) = found
    if column == "recipient":
        return _parse_recipient_column(value)
    if chat := _chat(value):
        if column in _CHAT_COLUMNS or column == IdentifierKind.LINE_ID:
            return chat
    elif column in _CHAT_COLUMNS:
        raise RejectedRecordError(
            Reason.NO_RECIPIENT, f"{column} {shown(value)} is not C or R and 32 hexadecimal digits"
        )
    identifier = identifiers.parse(IdentifierKind(column), value)
    if identifier is None:
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"{column} {shown(value)} is empty")
    return PersonRecipient(identifier)


def _recipient_columns(record: Mapping[str, Any]) -> list[str]:
    """Return the columns that name a recipient."""
    return [column for column in _COLUMNS if (value := record.get(column)) is not None and not _is_empty(value)]


def _is_empty(value: object) -> bool:
    return value in (None, [], {}) or (isinstance(value, str) and value.strip() in _EMPTY_TEXTS)


def without_placeholders(record: Mapping[str, Any], identifiers: IdentifierReader) -> Mapping[str, Any]:
    """Return a record without the placeholders that it has beside another recipient; they stand for no value."""
    recipients = _recipient_columns(record)
    if len(recipients) < 2:  # noqa: PLR2004 - nearly all records
        return record
    placeholders = {
        kind.value
        for kind in IdentifierKind
        if kind.value in recipients and identifiers.is_placeholder(kind, record[kind.value])
    }
    if not placeholders or len(placeholders) == len(recipients):
        return record
    return {name: value for name, value in record.items() if name not in placeholders}


def _chat(value: object) -> ChatRecipient | None:
    chat_id = normalized_line_id(value) if isinstance(value, str) else value
    return ChatRecipient(str(chat_id)) if is_chat_id(chat_id) else None


def _parse_recipient_column(value: object) -> Recipient:
    text = value.strip() if isinstance(value, str) else None
    if text == "everyone":
        return AllFollowers()
    if text and (audience := _AUDIENCE.fullmatch(text)):
        return NarrowcastRecipients({"recipient": {"type": "audience", "audienceGroupId": int(audience[1])}})
    if chat := _chat(value):
        return chat
    conditions = decode_json_column(value, "recipient", Reason.NO_RECIPIENT) if _may_be_object(value) else None
    if not isinstance(conditions, dict) or not conditions or conditions.keys() - _NARROWCAST_MEMBERS:
        allowed = "everyone, audience:<id>, a group or room id, or an object with recipient, filter and limit"
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"recipient {shown(value)} is none of: {allowed}")
    if LONE_SURROGATE.search(json.dumps(conditions, ensure_ascii=False)):
        raise RejectedRecordError(Reason.NO_RECIPIENT, "recipient: half of a surrogate pair, which is not a character")
    return NarrowcastRecipients(conditions)


def _may_be_object(value: object) -> bool:
    return not isinstance(value, str) or value.lstrip().startswith("{")
