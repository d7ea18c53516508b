"""Identifiers of a record: reading, normalizing and checking `id`, `email` and `line_id`."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_line_id
from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_IDENTIFIER_LENGTH = 512
"""Characters."""

# Control characters, and lone surrogates, which no encoding can represent.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def identifiers_of(record: Mapping[str, Any], provider: str) -> tuple[Identifier, ...]:
    """All of `id`, `email` and `line_id` that a record has, in that order.

    Raises:
        RejectedRecordError: One of them is malformed.
    """
    found = (
        _customer_id(record.get("id")),
        _email(record.get("email")),
        line_id_of(record.get("line_id"), provider),
    )
    return tuple(filter(None, found))


def identifier_of(kind: IdentifierKind, value: object, provider: str) -> Identifier | None:
    """Read an identifier; None if there is no value.

    Raises:
        RejectedRecordError: It is malformed.
    """
    match kind:
        case IdentifierKind.ID:
            return _customer_id(value)
        case IdentifierKind.EMAIL:
            return _email(value)
        case IdentifierKind.LINE_ID:
            return line_id_of(value, provider)


def storable(text: str, reason: Reason, length: int = MAX_IDENTIFIER_LENGTH) -> str:
    """The text itself, unless some database would refuse it in the middle of a batch.

    Raises:
        RejectedRecordError: It is too long, or has a character that cannot be stored.
    """
    if len(text) > length:
        raise RejectedRecordError(reason, f"{len(text)} of {length} characters")
    if _UNSTORABLE.search(text):
        raise RejectedRecordError(reason, f"{text!r} has a control character")
    return text


def _customer_id(value: object) -> Identifier | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a nullable integer column that some tap read as a float
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RejectedRecordError(Reason.INVALID_ID, f"id {value!r} is neither text nor a whole number")
    return Identifier(IdentifierKind.ID, "", storable(value.strip(), Reason.INVALID_ID)) if value.strip() else None


def _email(value: object) -> Identifier | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise RejectedRecordError(Reason.INVALID_EMAIL, f"email {value!r} is not text")
    text = value if value.isascii() else unicodedata.normalize("NFKC", value)
    email = text.strip().casefold()
    if not email:
        return None
    if not _EMAIL.fullmatch(email):
        raise RejectedRecordError(Reason.INVALID_EMAIL, f"email {value!r} is not of the form name@domain")
    return Identifier(IdentifierKind.EMAIL, "", storable(email, Reason.INVALID_EMAIL))


def line_id_of(value: object, provider: str) -> Identifier | None:
    if value is None or value == "":
        return None
    if not is_line_id(value):
        raise RejectedRecordError(Reason.INVALID_LINE_ID, f"line_id {value!r} is not U and 32 hexadecimal digits")
    return Identifier(IdentifierKind.LINE_ID, provider, str(value))
