"""Commands about people: explain, unmerge, forget, and what a file of records would merge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from line_core.errors import LineError
from line_core.identity.explanation import explain, explanation_lines
from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_line_id
from line_core.store.identity_policy import load_policy
from target_line.erasure import erase_person
from target_line.identity.identifiers import identifier_of
from target_line.identity.records import parse_profile
from target_line.identity.repository import IdentityRepository
from target_line.reasons import RejectedRecordError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from line_core.identity.model import Claim
    from line_core.store import Store

Row = dict[str, Any]


class UnknownPersonError(LineError):
    """The store knows nobody of that name."""


class PreviewError(LineError):
    """The file cannot be read as records."""


def identifier_named(text: str, provider: str) -> Identifier:
    """Read an identifier as somebody types it: `id:42`, `email:…`, `line_id:…`, or a bare LINE ID, email or id.

    Raises:
        LineError: It is none.
    """
    kind, separator, value = text.partition(":")
    if not separator or kind not in set(IdentifierKind):
        kind = (
            IdentifierKind.LINE_ID if is_line_id(text) else IdentifierKind.EMAIL if "@" in text else IdentifierKind.ID
        )
        value = text
    try:
        identifier = identifier_of(
            IdentifierKind(kind), value.rpartition("/")[2] if kind == IdentifierKind.LINE_ID else value, provider
        )
    except RejectedRecordError as error:
        raise UnknownPersonError(error.detail) from None
    if identifier is None:
        raise UnknownPersonError("the identifier is empty")
    return identifier


def explained(store: Store, identifier: Identifier) -> tuple[Row, Iterator[str]]:
    """Why a person is who they are, as JSON and in words.

    Raises:
        UnknownPersonError: Nobody has the identifier.
    """
    policy = load_policy(store)
    repository = IdentityRepository(store, policy)
    evidence = repository.evidence_of(identifier)
    if evidence is None and repository.is_shared(identifier):
        raise UnknownPersonError(f"{identifier} names nobody: more people than max_people_per_email claim it")
    if evidence is None:
        raise UnknownPersonError(f"nobody in the store has {identifier}")
    told = explain(evidence, identifier, policy)
    return told, explanation_lines(told, policy)


def unmerge(store: Store, channel: str, merge_id: int) -> None:
    """Undo a merge, for good.

    Raises:
        UnmergeError: There is none of that number, or it is undone already.
    """
    IdentityRepository(store, load_policy(store), channel).unmerge(merge_id)


def forgotten(store: Store, identifier: Identifier) -> Counter[str]:
    """Forget a person; how many rows of what were erased or changed."""
    return erase_person(store, load_policy(store), identifier)


def preview(store: Store, file: TextIO, provider: str) -> Iterator[Row]:
    """The merges that would come of a file of `profiles` records; nothing is changed.

    Args:
        store: The open store.
        file: One record a line, or the Singer messages of a tap.
        provider: Provider that issued the LINE IDs.

    Raises:
        PreviewError: A line is not JSON, or holds a record that would be rejected.
    """
    repository = IdentityRepository(store, load_policy(store))
    for join in repository.preview(list(_claims(file, provider))):
        yield {
            "rule": join.rule.value,
            "who": str(join.absorbed),
            "into": str(join.survivor),
            "by": str(join.identifier),
        }


def _claims(file: TextIO, provider: str) -> Iterator[Claim]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            raise PreviewError(f"line {number} is not JSON") from None
        if isinstance(record, dict) and record.get("type") in {"SCHEMA", "STATE", "ACTIVATE_VERSION", "RECORD"}:
            record = record.get("record")
        if record is None:
            continue
        if not isinstance(record, dict):
            raise PreviewError(f"line {number} is not a record")
        try:
            yield parse_profile(record, provider)
        except RejectedRecordError as error:
            raise PreviewError(f"line {number} would be rejected: {error.detail}") from None
