"""Build the profile of one connected component (merge rules 3, 6 and 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.consent import consent_of
from line_core.follow_state import FollowState
from line_core.identity.model import UNDATED, IdentifierKind
from line_core.identity.policy import AttributeConflict, CanonicalCriterion
from line_core.identity.results import LineAccount, Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from line_core.identity.links import Link
    from line_core.identity.model import Claim, DatedValue, Follow, Identifier
    from line_core.identity.opt_outs import OptOuts
    from line_core.identity.policy import MergePolicy

_FOLLOW_STATE_ORDER = {FollowState.FOLLOWING: 0, FollowState.UNKNOWN: 1, FollowState.UNFOLLOWED: 2}


class ProfileBuilder:
    """Builds the profiles of some evidence."""

    def __init__(
        self,
        links: Iterable[Link],
        follows: Mapping[Identifier, Follow],
        opt_outs: Mapping[Identifier, OptOuts],
        policy: MergePolicy,
    ) -> None:
        """Store what the profiles depend on.

        Args:
            links: The links that are not void.
            follows: Follow states by LINE ID.
            opt_outs: The opt-outs in force by identifier.
            policy: Settings of the merge rules.
        """
        self._follows = follows
        self._opt_outs = opt_outs
        self._policy = policy
        self._links_of: dict[Identifier, list[Link]] = {}
        for link in links:
            for identifier in link.pair:
                if identifier.kind is IdentifierKind.LINE_ID:
                    self._links_of.setdefault(identifier, []).append(link)

    def build(self, members: frozenset[Identifier], claims: Sequence[Claim], *, is_contested: bool) -> Profile:
        """Return the profile of one component.

        Args:
            members: The identifiers of the component.
            claims: The claims whose strongest identifier is in the component.
            is_contested: Whether the component is a contested identifier.
        """
        key = min(members, key=lambda member: (self._policy.rank(member), member))
        ids = self._values(members, claims, IdentifierKind.ID)
        emails = self._values(members, claims, IdentifierKind.EMAIL)
        accounts = {member: self._account(member) for member in members if member.kind is IdentifierKind.LINE_ID}
        return Profile(
            key=key,
            id=ids[0] if ids else None,
            email=emails[0] if emails else None,
            line_accounts=tuple(sorted(accounts.values(), key=lambda account: (account.line_id, account.provider))),
            canonical=self._canonical(accounts, key, members),
            attributes=self._attributes(claims, key),
            former_ids=tuple(sorted(ids[1:])),
            former_emails=tuple(sorted(emails[1:])),
            identifiers=members,
            is_contested=is_contested,
        )

    def _values(self, members: Iterable[Identifier], claims: Iterable[Claim], kind: IdentifierKind) -> list[str]:
        """Return the ids or emails of a component, the one that the newest record names first."""
        names = [member for member in members if member.kind is kind]
        if len(names) > 1:
            named_at = dict.fromkeys(names, UNDATED)
            for claim in claims:
                for name in claim.identifiers:
                    if name in named_at:
                        named_at[name] = max(named_at[name], claim.last_at)
            names.sort(key=lambda name: (-named_at[name], name.value))
        return [name.value for name in names]

    def _account(self, line_id: Identifier) -> LineAccount:
        follow = self._follows.get(line_id)
        return LineAccount(line_id.value, line_id.provider, follow.state if follow else FollowState.UNKNOWN)

    def _canonical(
        self, accounts: Mapping[Identifier, LineAccount], key: Identifier, members: frozenset[Identifier]
    ) -> dict[str, LineAccount]:
        """Return the canonical LINE account of each provider."""

        def order(line_id: Identifier) -> tuple[int | str, ...]:
            follow = self._follows.get(line_id)
            links = [link for link in self._links_of.get(line_id, ()) if members.issuperset(link.pair)]
            by_criterion = {
                CanonicalCriterion.NOT_UNFOLLOWED: accounts[line_id].follow_state is FollowState.UNFOLLOWED,
                CanonicalCriterion.STRONGEST_CLAIM: all(link.strong != key for link in links),
                CanonicalCriterion.LATEST_IDENTIFIED: -max((link.last_at for link in links), default=UNDATED),
                CanonicalCriterion.FOLLOWING: _FOLLOW_STATE_ORDER[accounts[line_id].follow_state],
                CanonicalCriterion.LATEST_FOLLOWED: -(follow.followed_at if follow else UNDATED),
            }
            return *(by_criterion[criterion] for criterion in self._policy.canonical), line_id.value

        canonical: dict[str, LineAccount] = {}
        for line_id in sorted(accounts, key=order) if len(accounts) > 1 else accounts:
            canonical.setdefault(line_id.provider, accounts[line_id])
        return canonical

    def _attributes(self, claims: Sequence[Claim], key: Identifier) -> dict[str, object]:
        """Return the attributes of a profile; one whose value is null is left out. Opt-outs in force come first."""
        best = _newest_values(claims, key)
        if self._policy.attributes is AttributeConflict.SURVIVOR:
            own = _newest_values([claim for claim in claims if key in claim.identifiers], key)
            others = _newest_values([claim for claim in claims if key not in claim.identifiers], key)
            best = {name: own.get(name) if own.get(name) is not None else others.get(name) for name in best}
        for name in self._policy.opt_outs:  # a yes that a rejected record took back is no value of the claims
            if consent_of(best.get(name)):
                del best[name]
        best |= {name: opt_out.value for name, opt_out in self._opt_outs.get(key, {}).items()}
        return {name: value for name, value in sorted(best.items()) if value is not None}


def _newest_values(claims: Sequence[Claim], key: Identifier) -> dict[str, object]:
    """Return the newest value of each attribute.

    At the same time, a value comes before null, then a value of a claim of the profile's key, then yes before no, then
    the greater JSON text.
    """
    if len(claims) == 1:
        return {name: dated.value for name, dated in claims[0].attributes.items()}
    best: dict[str, DatedValue] = {}
    weights: dict[str, tuple[int, bool, bool, tuple[bool, bool, str]]] = {}
    for claim in claims:
        names_key = key in claim.identifiers
        for name, dated in claim.attributes.items():
            known = best.get(name)
            if known and known.at > dated.at:
                continue
            weight = dated.at, dated.value is not None, names_key, dated.tie_breaker()
            if known is None or weight > weights[name]:
                best[name], weights[name] = dated, weight
    return {name: dated.value for name, dated in best.items()}
