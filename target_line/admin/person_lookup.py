"""Lookup of a person by an identifier that is typed on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.identity.explanation import explain
from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_line_id
from target_line.identity.identifiers import identifier_of
from target_line.identity.repository import IdentityRepository, UnknownPersonError
from target_line.reasons import RejectedRecordError

if TYPE_CHECKING:
    from line_core.identity.policy import MergePolicy
    from line_core.store import Store


def parse_identifier(text: str, provider: str) -> Identifier:
    """Parse `id:42`, `email:…`, `line_id:…`, or a LINE ID, email or id without a prefix.

    Raises:
        UnknownPersonError: The text is not a valid identifier.
    """
    kind, separator, value = text.partition(":")
    if not separator or kind not in set(IdentifierKind):
        value = text
        if is_line_id(text):
            kind = IdentifierKind.LINE_ID
        else:
            kind = IdentifierKind.EMAIL if "@" in text else IdentifierKind.ID
    if kind == IdentifierKind.LINE_ID:
        value = value.rpartition("/")[2]  # `line_id:<provider>/U…`, as listings print it
    try:
        identifier = identifier_of(IdentifierKind(kind), value, provider)
    except RejectedRecordError as error:
        raise UnknownPersonError(error.detail) from None
    if identifier is None:
        raise UnknownPersonError("the identifier is empty")
    return identifier


def explain_person(store: Store, identifier: Identifier, policy: MergePolicy) -> dict[str, Any]:
    """Explain which records and rules the profile of an identifier results from; see `explain`.

    Raises:
        UnknownPersonError: No profile has the identifier.
    """
    repository = IdentityRepository(store, policy)
    evidence = repository.evidence_of(identifier)
    if evidence is None and repository.is_shared(identifier):
        raise UnknownPersonError(
            f"{identifier} identifies nobody: more people claim it than max_people_per_email allows"
        )
    if evidence is None:
        raise UnknownPersonError(f"no profile in the store has {identifier}")
    return explain(evidence, identifier, policy)
