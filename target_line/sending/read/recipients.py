"""Recipients of `messages` records."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_chat_id
from target_line.identity.identifiers import identifier_of
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.json_columns import decode_json_column
from target_line.sending.templates.values import LONE_SURROGATE

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUDIENCE = re.compile(r"audience:([0-9]{1,18})")
_NARROWCAST_MEMBERS = frozenset({"recipient", "filter", "limit"})
_CHAT_COLUMNS = ("group_id", "room_id")
_COLUMNS = (*(kind.value for kind in IdentifierKind), *_CHAT_COLUMNS, "recipient")


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


def parse_recipient(record: Mapping[str, Any], provider: str) -> Recipient:
    """Return the recipient of a `messages` record.

    Args:
        record: Has exactly one of `line_id`, `id`, `email`, `group_id` (`C…`), `room_id` (`R…`), and `recipient`. The
            column `recipient` has `everyone`, `audience:<audience group id>`, a group or room id, or the recipient,
            filter and limit of a narrowcast (an object, or its JSON text).
        provider: Provider that issued the LINE ID.

    Raises:
        RejectedRecordError: The record has no recipient, several recipients, or a malformed recipient.
    """
    found = [(column, record[column]) for column in _COLUMNS if column in record and not _is_empty(record[column])]
    if len(found) != 1:
        columns = ", ".join(_COLUMNS)
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"exactly one of {columns} is required, found {len(found)}")
    ((column, value),) = found
    if column == "recipient":
        return _parse_recipient_column(value)
    if column in _CHAT_COLUMNS or (column == IdentifierKind.LINE_ID and is_chat_id(value)):
        return _parse_chat(value)
    identifier = identifier_of(IdentifierKind(column), value, provider)
    if identifier is None:
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"{column} {value!r} is empty")
    return PersonRecipient(identifier)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _parse_chat(value: object) -> ChatRecipient:
    if not is_chat_id(value):
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"{value!r} is not C or R and 32 hexadecimal digits")
    return ChatRecipient(str(value))


def _parse_recipient_column(value: object) -> Recipient:
    if value == "everyone":
        return AllFollowers()
    if isinstance(value, str) and (audience := _AUDIENCE.fullmatch(value)):
        return NarrowcastRecipients({"recipient": {"type": "audience", "audienceGroupId": int(audience[1])}})
    if is_chat_id(value):
        return ChatRecipient(str(value))
    conditions = decode_json_column(value, "recipient", Reason.NO_RECIPIENT) if _may_be_object(value) else None
    if not isinstance(conditions, dict) or not conditions or conditions.keys() - _NARROWCAST_MEMBERS:
        allowed = "everyone, audience:<id>, a group or room id, or an object with recipient, filter and limit"
        raise RejectedRecordError(Reason.NO_RECIPIENT, f"recipient {value!r} is none of: {allowed}")
    if LONE_SURROGATE.search(json.dumps(conditions, ensure_ascii=False)):
        raise RejectedRecordError(Reason.NO_RECIPIENT, "recipient: half of a surrogate pair, which is not a character")
    return NarrowcastRecipients(conditions)


def _may_be_object(value: object) -> bool:
    return not isinstance(value, str) or value.lstrip().startswith("{")
