"""Whether a JSON document names a person. Values are compared as identifiers are, by parsing, not by text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from line_core.identity.model import Identifier, IdentifierKind
from target_line.identity.identifiers import identifier_of
from target_line.reasons import RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_AT_SIGNS = frozenset("@\ufe6b\uff20")  # with those that Unicode NFKC turns into @
_LINE_ID_LENGTH = 33


class Person:
    """The identifiers of a person, to be found in documents. LINE IDs are compared regardless of their provider."""

    def __init__(self, identifiers: Iterable[Identifier]) -> None:
        self.identifiers = frozenset(identifiers)
        self._named = {name._replace(provider="") for name in self.identifiers}
        self.line_ids = sorted({name.value for name in identifiers if name.kind is IdentifierKind.LINE_ID})

    def is_named_in(self, document: object) -> bool:
        """Return whether a document names the person; see `names_in`."""
        return any(name in self._named for name in names_in(document, ""))


def names_in(document: object, provider: str) -> Iterator[Identifier]:
    """Yield the identifiers that a document names.

    An email or a LINE ID counts wherever it is a whole text. An id counts only in the column `id`: elsewhere, the same
    text or number means something else. JSON text inside a text is read too.

    Args:
        document: Any JSON value.
        provider: Provider of the LINE IDs.
    """
    if isinstance(document, dict):
        yield from (name for name in identity_columns(document, provider).values() if name.kind is IdentifierKind.ID)
    for text in _texts(document):
        if not _AT_SIGNS.isdisjoint(text):
            kind = IdentifierKind.EMAIL
        elif len(text) >= _LINE_ID_LENGTH:
            kind = IdentifierKind.LINE_ID
        else:
            continue
        if name := _parsed(kind, text, provider):
            yield name


def identity_columns(record: Mapping[str, Any], provider: str) -> dict[str, Identifier]:
    """Return the identifiers in the columns `id`, `email` and `line_id` of a record, by column, in any case."""
    kinds = {kind.value: kind for kind in IdentifierKind}
    found = {
        column: _parsed(kind, value, provider)
        for column, value in record.items()
        if (kind := kinds.get(column.casefold()))
    }
    return {column: name for column, name in found.items() if name}


def _parsed(kind: IdentifierKind, value: Any, provider: str) -> Identifier | None:  # noqa: ANN401 - any JSON value
    try:
        return identifier_of(kind, value, provider)
    except RejectedRecordError:
        return None


def _texts(document: object) -> Iterator[str]:
    """Yield all texts in a JSON value, keys of objects included."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value
            if value.lstrip()[:1] in ("{", "["):
                try:
                    waiting.append(json.loads(value))
                except (ValueError, RecursionError):
                    continue
