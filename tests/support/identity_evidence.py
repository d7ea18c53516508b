"""The evidence that records form, made without the program's parser, and the profiles that the rules make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from line_core.follow_state import FollowState
from line_core.identity.model import (
    UNDATED,
    Claim,
    DatedValue,
    Evidence,
    Follow,
    Identifier,
    IdentifierKind,
    RefusedOptOut,
    Unlink,
)
from line_core.identity.policy import AttributeConflict, CanonicalCriterion, IdentifierConflict, MergePolicy
from line_core.identity.rules import resolve
from line_core.identity.sharing import newly_shared
from target_line.admin.listings import profile_row
from tests.support import identity_model_records as model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.identity_histories import Record


def policy_of(settings: model.Settings) -> MergePolicy:
    """Return the policy of the model's settings."""
    return MergePolicy(
        precedence=tuple(map(IdentifierKind, settings.identifier_precedence)),
        conflict=IdentifierConflict(settings.identifier_conflict),
        attributes=AttributeConflict(settings.attribute_conflict),
        canonical=tuple(map(CanonicalCriterion, settings.canonical_line_id)),
        max_line_ids=settings.max_line_ids_per_profile,
        opt_outs=tuple(settings.suppression_attributes),
        max_people_per_email=settings.max_people_per_email,
        max_people_per_line_id=settings.max_people_per_line_id,
        max_identifiers_per_id=settings.max_identifiers_per_id,
    )


def evidence_of(records: Iterable[Record], settings: model.Settings) -> Evidence:
    """Return the evidence that the records form, with its shared identifiers."""
    read = model.Records(records, settings)
    evidence = Evidence()
    for claim in read.claims:
        _add_claim(evidence, claim, settings)
    for claim in read.rejected:
        opt_outs = _opt_outs(claim, settings)
        if opt_outs:
            evidence.add(RefusedOptOut(_identifiers(claim), opt_outs))
    for follow in read.follows:
        state = FollowState(follow.state)
        times = _at(follow.time), _at(follow.followed_at)
        evidence.add(Follow(_identifier(follow.line_id), state, *times, follow.channel))
    evidence.shared = newly_shared(evidence, policy_of(settings))
    return evidence


def profiles_of(records: Iterable[Record], settings: model.Settings) -> list[dict[str, Any]]:
    """Return the profiles of the records as `target-line-admin identities` prints them."""
    resolution = resolve(evidence_of(records, settings), policy_of(settings), settings.channel)
    rows: list[dict[str, Any]] = json.loads(json.dumps([profile_row(p, "default") for p in resolution.profiles]))
    return rows


def suppressed(
    records: Iterable[Record], settings: model.Settings, recipients: Iterable[model.Known]
) -> set[model.Known]:
    """Return the recipients that are suppressed by the rules."""
    resolution = resolve(evidence_of(records, settings), policy_of(settings), settings.channel)
    return {
        known
        for known in recipients
        for profile in (*resolution.profiles, *resolution.opted_out)
        if _identifier(known) in profile.identifiers
        and any(model.consent(profile.attributes.get(name)) == "yes" for name in settings.suppression_attributes)
    }


def _at(time: float) -> int:
    return UNDATED if time == model.UNDATED else round(time * 1000)


def _identifier(known: model.Known) -> Identifier:
    kind = IdentifierKind(known[0])
    return Identifier(kind, "default" if kind is IdentifierKind.LINE_ID else "", known[1])


def _identifiers(claim: model.Claim) -> tuple[Identifier, ...]:
    return tuple(map(_identifier, claim.identifiers))


def _opt_outs(claim: model.Claim, settings: model.Settings) -> dict[str, DatedValue]:
    found: dict[str, DatedValue] = {}
    for name, value in claim.answers:
        for attribute in settings.suppression_attributes:
            if name.lower() == attribute.lower() and model.consent(value):
                dated = DatedValue(_at(claim.time), value)
                found[attribute] = found[attribute].newer(dated) if attribute in found else dated
    return found


def _add_claim(evidence: Evidence, claim: model.Claim, settings: model.Settings) -> None:
    opt_out_names = {attribute.lower() for attribute in settings.suppression_attributes}
    at, linked_at = _at(claim.time), _at(claim.link_time)
    values = {n: DatedValue(at, value) for n, value in claim.attributes.items() if n.lower() not in opt_out_names}
    values |= _opt_outs(claim, settings)
    evidence.add(Claim(_identifiers(claim), at, at, values, linked_at, linked_at))
    if settings.null_identifiers == "clear":
        strongest = _identifier(settings.strongest(claim.identifiers))
        for kind in {"email", "line_id"}.intersection(claim.empty_kinds):
            provider = "default" if kind == "line_id" else ""
            evidence.add(Unlink(strongest, IdentifierKind(kind), provider, at))
