"""Identifiers of a record: `id`, `email` and `line_id`, in their normal form, without those that identify nobody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_line_id
from target_line.identity.normalization import normalized_email, normalized_id, normalized_line_id
from target_line.intake.rejects import RemovedIdentifier
from target_line.reasons import Reason, RejectedRecordError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_line.identity.placeholders import Placeholders

MAX_IDENTIFIER_LENGTH = 512
"""Characters."""
MAX_EXACT_FLOAT = 2**53
"""From this number on, a floating-point number can stand for several whole numbers."""
_MAX_DIGITS = 4000
"""Python refuses to write whole numbers that are longer."""

# Looking up a member of an enumeration takes as long as a function call.
_ID, _EMAIL, _LINE_ID = IdentifierKind
_COLUMNS = tuple((kind, kind.value) for kind in IdentifierKind)
# Control characters, and lone surrogates, which no encoding can represent.
_UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_REASONS = {
    _ID: Reason.INVALID_ID,
    _EMAIL: Reason.INVALID_EMAIL,
    _LINE_ID: Reason.INVALID_LINE_ID,
}
_PROBLEMS = {
    _ID: "neither text nor a whole number that is exact",
    _EMAIL: "not of the form name@domain",
    _LINE_ID: "not U and 32 hexadecimal digits",
}


class IdentifierSet(Protocol):
    """A set of identifiers."""

    def __bool__(self) -> bool: ...
    def __contains__(self, identifier: Identifier, /) -> bool: ...


class FoundIdentifiers(NamedTuple):
    """The identifiers that a record names."""

    valid: tuple[Identifier, ...]
    """In the order of `IdentifierKind`."""
    removed: tuple[RemovedIdentifier, ...]


class IdentifierReader:
    """Reads the identifiers of records."""

    def __init__(
        self, provider: str, placeholders: Placeholders | None = None, erased: IdentifierSet | None = None
    ) -> None:
        """Create a reader.

        Args:
            provider: Provider that issued the LINE IDs.
            placeholders: Values that identify nobody; None if the values were compared with them before.
            erased: Identifiers that were erased on request.
        """
        self.provider = provider
        self._placeholders = placeholders
        self._erased = erased

    def read(self, record: Mapping[str, Any]) -> FoundIdentifiers:
        """Return the identifiers of a record, without those that are blank."""
        valid: list[Identifier] = []
        removed: list[RemovedIdentifier] = []
        erased = self._erased or ()
        for kind, column in _COLUMNS:
            value = record.get(column)
            if value is None:
                continue
            try:
                identifier = self.parse(kind, value)
            except RejectedRecordError as error:
                removed.append(RemovedIdentifier(column, error.reason, error.detail))
                continue
            if identifier is None:
                continue
            if identifier in erased:
                detail = f"the {kind} was erased on request"
                removed.append(RemovedIdentifier(column, Reason.FORGOTTEN, detail, identifier))
            else:
                valid.append(identifier)
        return FoundIdentifiers(tuple(valid), tuple(removed))

    def parse(self, kind: IdentifierKind, value: object) -> Identifier | None:
        """Return an identifier, None if the value is blank. Whether it was erased is not checked.

        Raises:
            RejectedRecordError: The value is malformed or a placeholder.
        """
        try:
            identifier = identifier_of(kind, value, self.provider)
        except RejectedRecordError:
            if isinstance(value, str) and self._placeholders and self._placeholders.match(value):
                raise self._placeholder_error(kind, value) from None
            raise
        if identifier is None or kind is _LINE_ID or self._placeholders is None:
            return identifier
        if self._placeholders.match(identifier.value):
            raise self._placeholder_error(kind, value)
        return identifier

    def is_placeholder(self, kind: IdentifierKind, value: object) -> bool:
        """Return whether a value stands for a missing identifier."""
        try:
            self.parse(kind, value)
        except RejectedRecordError as error:
            return error.reason is Reason.JUNK_IDENTIFIER
        return False

    @staticmethod
    def _placeholder_error(kind: IdentifierKind, value: object) -> RejectedRecordError:
        return RejectedRecordError(Reason.JUNK_IDENTIFIER, f"{kind} {shown(value)} is a placeholder", kind.value)


def identifier_of(kind: IdentifierKind, value: object, provider: str) -> Identifier | None:
    """Return an identifier in its normal form, None if the value is blank.

    Raises:
        RejectedRecordError: The value is malformed.
    """
    if value is None:
        return None
    if kind is _LINE_ID:
        return _line_id(value, provider)
    if kind is _ID:
        normal = normalized_id(value) if isinstance(value, str) else _digits(value)
    else:
        normal = normalized_email(value) if isinstance(value, str) else None
    if not normal:
        if normal is None:
            raise _malformed(kind, value)
        return None
    if not (normal.isascii() and normal.isprintable() and len(normal) <= MAX_IDENTIFIER_LENGTH):
        storable(normal, _REASONS[kind], MAX_IDENTIFIER_LENGTH, kind.value)
    return Identifier(kind, "", normal)


def _line_id(value: object, provider: str) -> Identifier | None:
    normal = value
    if not is_line_id(value):  # nearly all are in their normal form
        normal = normalized_line_id(value) if isinstance(value, str) else None
        if normal == "":
            return None
        if not is_line_id(normal):
            raise _malformed(_LINE_ID, value)
    return Identifier(_LINE_ID, provider, str(normal))


def _digits(value: object) -> str | None:
    number = whole_number(value)
    return None if number is None else str(number)


def whole_number(value: object) -> int | None:
    """Return a number that is whole and exact, None for every other value.

    Some taps read a nullable column of whole numbers as floating-point numbers. From 2^53 on they are not exact.
    """
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < MAX_EXACT_FLOAT else None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value.bit_length() < _MAX_DIGITS * 3 else None
    return None


def storable(text: str, reason: Reason, length: int = MAX_IDENTIFIER_LENGTH, column: str | None = None) -> str:
    """Return the text if both databases can store it. Otherwise a whole batch would fail later.

    Raises:
        RejectedRecordError: The text is too long, or contains a character that cannot be stored.
    """
    if len(text) > length:
        detail = f"the value has {len(text)} characters, at most {length} are allowed"
        raise RejectedRecordError(reason, detail, column)
    if _UNSTORABLE.search(text):
        raise RejectedRecordError(reason, f"{shown(text)} contains a control character or half a character", column)
    return text


def _malformed(kind: IdentifierKind, value: object) -> RejectedRecordError:
    return RejectedRecordError(_REASONS[kind], f"{kind} {shown(value)} is {_PROBLEMS[kind]}", kind.value)
