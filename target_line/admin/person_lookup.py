"""Lookup of a person by an identifier that is typed on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from line_core.identity.model import Identifier, IdentifierKind
from line_core.ids import is_line_id
from line_core.store.tables.identity import identifiers
from target_line.admin.explanation import delivery_line, explain
from target_line.identity.identifiers import identifier_of
from target_line.identity.repository import IdentityRepository, UnknownPersonError
from target_line.reasons import RejectedRecordError
from target_line.sending.decide.decisions import Invalid, LineUser, Skipped
from target_line.sending.decide.rules import reject_shared, resolve_destination
from target_line.sending.policy import SendingPolicy
from target_line.sending.read.recipients import PersonRecipient

if TYPE_CHECKING:
    from line_core.identity.policy import MergePolicy
    from line_core.store import Store
    from target_line.admin.options import AdminOptions
    from target_line.identity.repository import Recipients


def parse_identifier(text: str, provider: str) -> Identifier:
    """Parse `id:42`, `email:…`, `line_id:…`, or a LINE ID, email or id without a prefix.

    Args:
        text: The text.
        provider: Provider of a LINE ID that does not name its own as `line_id:<provider>/U…`, as listings print it.

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
        named, _, value = value.rpartition("/")
        provider = named or provider
    try:
        identifier = identifier_of(IdentifierKind(kind), value, provider)
    except RejectedRecordError as error:
        raise UnknownPersonError(error.detail) from None
    if identifier is None:
        raise UnknownPersonError("the identifier is empty")
    return identifier


def find_identifier(store: Store, text: str, options: AdminOptions) -> Identifier:
    """Parse an identifier. A LINE ID without a provider gets that which the store has it of.

    Raises:
        UnknownPersonError: The text is not a valid identifier, or several providers have issued the LINE ID.
    """
    identifier = parse_identifier(text, options.provider_of(store))
    if identifier.kind is not IdentifierKind.LINE_ID or "/" in text or "provider" in options.explicit:
        return identifier
    table = identifiers.c
    query = select(table.provider).where(table.kind == IdentifierKind.LINE_ID, table.value == identifier.value)
    with store.read() as connection:
        providers = sorted(connection.scalars(query))
    if len(providers) > 1:
        raise UnknownPersonError(
            f"the store has this LINE ID of several providers: {', '.join(providers)}; name one with --provider"
        )
    return identifier._replace(provider=providers[0]) if providers else identifier


def explain_person(
    store: Store, identifier: Identifier, policy: MergePolicy, *, provider: str, channel: str
) -> dict[str, Any]:
    """Explain which records and rules the profile of an identifier results from, and whether messages go to it.

    Args:
        store: The open store.
        identifier: Any identifier of the profile.
        policy: Settings of the merge rules.
        provider: Provider of the channel.
        channel: Name of the channel that would send the message.

    Returns:
        The explanation (see `explain`), with `messages`: what would happen to a message to the identifier.

    Raises:
        UnknownPersonError: No profile has the identifier.
    """
    repository = IdentityRepository(store, policy, channel)
    found = repository.find_recipients([identifier])
    delivery = _delivery_of(identifier, found, policy, provider, channel)
    evidence = repository.evidence_of(identifier)
    if identifier in found.shared:
        raise UnknownPersonError(f"{identifier} identifies nobody: {reject_shared(identifier).reason.description}")
    if evidence is None or identifier not in found.profiles:
        raise UnknownPersonError(f"no profile in the store has {identifier}")
    try:
        explained = explain(evidence, identifier, policy, channel)
    except KeyError:
        raise UnknownPersonError(
            f"no profile in the store has {identifier}; only a rejected record names it. {delivery_line(delivery)}"
        ) from None
    return {**explained, "messages": delivery}


def _delivery_of(
    identifier: Identifier, found: Recipients, policy: MergePolicy, provider: str, channel: str
) -> dict[str, Any]:
    """Return what a run with the saved settings would do with a message to an identifier."""
    sending = SendingPolicy(provider=provider, suppression_attributes=policy.opt_outs)
    profile = found.profiles.get(identifier)
    to = (
        reject_shared(identifier)
        if identifier in found.shared
        else resolve_destination(PersonRecipient(identifier), profile, sending)
    )
    delivery = {"channel": channel, "provider": provider, "result": "sent", "reason": None, "detail": ""}
    match to:
        case LineUser(line_id=line_id):
            return {**delivery, "line_id": line_id}
        case Skipped(reason=reason, line_id=line_id):
            return {
                **delivery,
                "result": "skipped",
                "reason": reason.value,
                "detail": reason.description,
                "line_id": line_id,
            }
        case Invalid(reason=reason, detail=detail):
            return {**delivery, "result": "rejected", "reason": reason.value, "detail": detail, "line_id": None}
    raise AssertionError(to)
