"""Build the profile of one connected component (merge rule 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.consent import consent_of
from line_core.follow_state import FollowState
from line_core.identity.model import UNDATED, IdentifierKind
from line_core.identity.policy import AttributeConflict, CanonicalCriterion
from line_core.identity.results import LineAccount, Profile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from line_core.identity.model import Claim, DatedValue, Follow, Identifier
    from line_core.identity.policy import MergePolicy

_FOLLOW_STATE_ORDER = {FollowState.FOLLOWING: 0, FollowState.UNKNOWN: 1, FollowState.UNFOLLOWED: 2}


def build_profile(
    members: frozenset[Identifier],
    claims: list[Claim],
    follows: Mapping[Identifier, Follow],
    policy: MergePolicy,
    *,
    is_contested: bool,
) -> Profile:
    """Return the profile of one component.

    Args:
        members: The identifiers of the component.
        claims: The claims whose strongest identifier is in the component.
        follows: Follow states by LINE ID; those of other components are ignored.
        policy: Settings of the merge rules.
        is_contested: Whether an identifier of the component is contested.
    """
    first_at: dict[Identifier, int] = {}
    last_at: dict[Identifier, int] = {}
    for claim in claims:
        for identifier in claim.identifiers:
            first_at[identifier] = min(first_at.get(identifier, claim.first_at), claim.first_at)
            last_at[identifier] = max(last_at.get(identifier, claim.last_at), claim.last_at)

    def newest_first(identifier: Identifier) -> tuple[int, str]:
        return -last_at.get(identifier, UNDATED), identifier.value

    key = min(members, key=lambda member: (policy.rank(member), first_at.get(member, UNDATED), member))
    emails = sorted((member for member in members if member.kind is IdentifierKind.EMAIL), key=newest_first)
    line_ids = [member for member in members if member.kind is IdentifierKind.LINE_ID]
    accounts = {line_id: _account(line_id, follows.get(line_id)) for line_id in line_ids}
    return Profile(
        key=key,
        id=next((member.value for member in members if member.kind is IdentifierKind.ID), None),
        email=emails[0].value if emails else None,
        line_accounts=tuple(sorted(accounts.values(), key=lambda account: (account.line_id, account.provider))),
        canonical=_canonical(accounts, follows, last_at, policy),
        attributes=_attributes(claims, key, policy),
        former_emails=tuple(sorted(email.value for email in emails[1:])),
        identifiers=members,
        is_contested=is_contested,
    )


def _account(line_id: Identifier, follow: Follow | None) -> LineAccount:
    return LineAccount(line_id.value, line_id.provider, follow.state if follow else FollowState.UNKNOWN)


def _canonical(
    accounts: Mapping[Identifier, LineAccount],
    follows: Mapping[Identifier, Follow],
    identified_at: Mapping[Identifier, int],
    policy: MergePolicy,
) -> dict[str, LineAccount]:
    """Return the canonical LINE account of each provider."""

    def order(line_id: Identifier) -> tuple[int | str, ...]:
        follow = follows.get(line_id)
        by_criterion = {
            CanonicalCriterion.NOT_UNFOLLOWED: accounts[line_id].follow_state is FollowState.UNFOLLOWED,
            CanonicalCriterion.STRONGEST_CLAIM: 0,
            CanonicalCriterion.FOLLOWING: _FOLLOW_STATE_ORDER[accounts[line_id].follow_state],
            CanonicalCriterion.LATEST_IDENTIFIED: -identified_at.get(line_id, UNDATED),
            CanonicalCriterion.LATEST_FOLLOWED: -(follow.followed_at if follow else UNDATED),
        }
        return *(by_criterion[criterion] for criterion in policy.canonical), line_id.value

    canonical: dict[str, LineAccount] = {}
    for line_id in sorted(accounts, key=order):
        canonical.setdefault(line_id.provider, accounts[line_id])
    return canonical


def _attributes(claims: Collection[Claim], key: Identifier, policy: MergePolicy) -> dict[str, object]:
    """Return the attributes of a profile; an attribute whose winning value is null is left out.

    With `attribute_conflict: latest`, the newest value wins. With `survivor`, the newest value that is not null in
    claims of the profile's key wins; other claims fill the rest. At the same time, claims of the profile's key win.
    """
    survivor_first = policy.attributes is AttributeConflict.SURVIVOR
    best: dict[str, tuple[tuple[bool, int, bool, tuple[bool, bool, str]], object]] = {}
    for claim in claims:
        names_key = key in claim.identifiers
        for name, dated in claim.attributes.items():
            is_preferred = survivor_first and names_key and dated.value is not None
            weight = is_preferred, dated.at, names_key, dated.tie_breaker()
            if name not in best or weight > best[name][0]:
                best[name] = weight, dated.value
    values = {name: value for name, (_, value) in best.items()} | _opt_outs(claims, policy)
    return {name: value for name, value in sorted(values.items()) if value is not None}


def _opt_outs(claims: Iterable[Claim], policy: MergePolicy) -> dict[str, object]:
    """Return the opt-outs that are in force.

    An opt-out stays in force until a newer record with the same strongest identifier withdraws it. Records of the other
    identifiers of the profile do not withdraw it.
    """
    newest: dict[str, dict[Identifier, DatedValue]] = {}
    for claim in claims:
        for name in policy.opt_outs:
            if dated := claim.attributes.get(name):
                by_identifier = newest.setdefault(name, {})
                strongest = min(claim.identifiers, key=policy.rank)
                known = by_identifier.get(strongest)
                by_identifier[strongest] = known.newer(dated) if known else dated
    in_force: dict[str, object] = {}
    for name, by_identifier in newest.items():
        values = [dated.value for _, dated in sorted(by_identifier.items()) if consent_of(dated.value)]
        if values:
            in_force[name] = values[0]
    return in_force
