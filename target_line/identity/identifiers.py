"""Parsing and normalization of the identifiers of a record: `id`, `email` and `line_id`."""

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
    """Return the `id`, `email` and `line_id` of a record, in this order, without those that are empty.

    Raises:
        RejectedRecordError: One of them is malformed.
    """
    identifiers = (
        _customer_id(record.get("id")),
        _email(record.get("email")),
        line_id_of(record.get("line_id"), provider),
    )
    return tuple(filter(None, identifiers))


def identifier_of(kind: IdentifierKind, value: object, provider: str) -> Identifier | None:
    """Return an identifier, None if the value is empty.

    Raises:
        RejectedRecordError: The value is malformed.
    """
    match kind:
        case IdentifierKind.ID:
            return _customer_id(value)
        case IdentifierKind.EMAIL:
            return _email(value)
        case IdentifierKind.LINE_ID:
            return line_id_of(value, provider)


def storable(text: str, reason: Reason, length: int = MAX_IDENTIFIER_LENGTH) -> str:
    """Return the text if both databases can store it. Otherwise a whole batch would fail later.

    Raises:
        RejectedRecordError: The text is too long, or contains a character that cannot be stored.
    """
    if len(text) > length:
        raise RejectedRecordError(reason, f"the value has {len(text)} characters, at most {length} are allowed")
    if _UNSTORABLE.search(text):
        raise RejectedRecordError(reason, f"{text!r} contains a control character")
    return text


def _customer_id(value: object) -> Identifier | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # some taps read a nullable integer column as floats
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
    """Return the identifier of a LINE ID, None if the value is empty.

    Raises:
        RejectedRecordError: The value is not a LINE ID.
    """
    if value is None or value == "":
        return None
    if not is_line_id(value):
        raise RejectedRecordError(Reason.INVALID_LINE_ID, f"line_id {value!r} is not U and 32 hexadecimal digits")
    return Identifier(IdentifierKind.LINE_ID, provider, str(value))
