"""The merge rules: from evidence to profiles, as a pure function.

The rules, in the order that they work (docs/identity.md shows each with an example):

1. Every claim links its strongest identifier (by `identifier_precedence`) to each of its others.
2. Links are taken one after the other: those to stronger identifiers first, then by `identifier_conflict` (`latest`:
   the newest claim first; `first`: the oldest first), then the smallest. A link joins its two sides into one profile,
   unless that would bring two different ids together (then it is void, and the identifier stays with the winner, or
   under `reject` belongs to neither), or what somebody cut, or more LINE IDs than a profile may have.
3. What is joined at the end is a profile. Its key is its strongest identifier, of equally strong ones the oldest.

Since the outcome depends on the set of claims and nothing else, the order of arrival, batches, repetitions and restarts
cannot change it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from line_core.follow_state import FollowState
from line_core.identity.model import (
    UNDATED,
    Dated,
    Doubt,
    Identifier,
    Join,
    Kind,
    LineAccount,
    Profile,
    Refusal,
    Rule,
)
from line_core.identity.policy import AttributeConflict, Criterion, IdentifierConflict, Policy, opts_out

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from line_core.identity.model import Claim, Cut, Evidence, Follow


class Link(NamedTuple):
    """That some claim says two identifiers are one person's."""

    strong: Identifier
    weak: Identifier
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the evidence amounts to."""

    profiles: tuple[Profile, ...]
    joins: frozenset[Join]
    """Every profile that went into another and every identifier that moved, however long ago."""
    refusals: frozenset[Refusal] = frozenset()
    """Every identifier that a profile claims and does not get."""

    def profile_of(self, identifier: Identifier) -> Profile:
        """The profile that an identifier names.

        Raises:
            KeyError: The evidence does not speak of it.
        """
        for profile in self.profiles:
            if identifier in profile.identifiers:
                return profile
        raise KeyError(identifier)


_FOLLOW_ORDER = {FollowState.FOLLOWING: 0, FollowState.UNKNOWN: 1, FollowState.UNFOLLOWED: 2}


def resolve(evidence: Evidence, policy: Policy) -> Resolution:
    """Tell who is who."""
    links = _links(evidence.claims.values(), policy)
    joined = _join_all(evidence, links, policy)
    component_of = joined.component_of()
    claims_of: dict[frozenset[Identifier], list[Claim]] = {members: [] for members in component_of.values()}
    for claim in evidence.claims.values():
        claims_of[component_of[min(claim.identifiers, key=policy.rank)]].append(claim)
    profiles = tuple(
        _profile(members, claims, evidence.follows, policy, is_contested=bool(members & joined.contested))
        for members, claims in claims_of.items()
    )
    key_of = {identifier: profile.key for profile in profiles for identifier in profile.identifiers}
    refusals = {item for item in joined.refusals if key_of[item.claimed_by] != key_of[item.identifier]}
    refused = {(refusal.claimed_by, refusal.identifier) for refusal in refusals}
    standing = [link for link in links if (link.strong, link.weak) not in refused]
    return Resolution(
        tuple(sorted(profiles, key=lambda profile: profile.key)),
        frozenset([*_absorbed(evidence, policy, links, key_of), *_moved(standing, key_of, joined.cut_links)]),
        frozenset(refusals),
    )


def _links(claims: Iterable[Claim], policy: Policy) -> list[Link]:
    """All links, in the order in which they are to be taken."""
    spans: dict[tuple[Identifier, Identifier], tuple[int, int]] = {}
    for claim in claims:
        strong, *others = sorted(claim.identifiers, key=policy.rank)
        for weak in others:
            first, last = spans.get((strong, weak), (claim.first_at, claim.last_at))
            spans[strong, weak] = min(first, claim.first_at), max(last, claim.last_at)

    def order(link: Link) -> tuple[int, int, int, Identifier, Identifier]:
        age = link.first_at if policy.conflict is IdentifierConflict.FIRST else -link.last_at
        return policy.rank(link.weak), age, policy.rank(link.strong), link.strong, link.weak

    return sorted((Link(strong, weak, *span) for (strong, weak), span in spans.items()), key=order)


def _join_all(evidence: Evidence, links: list[Link], policy: Policy) -> _Components:
    """Take the links in their order; under `reject`, without those to identifiers that are contested."""
    identifiers = evidence.identifiers()
    contested: set[Identifier] = set()
    while True:
        joined = _Components(identifiers, evidence.cuts, policy.max_line_ids)
        joined.contested = contested
        found = joined.take(links, stop_at_conflict=policy.conflict is IdentifierConflict.REJECT)
        if found is None:
            return joined
        contested.add(found)


class _Components:
    """What is joined so far: disjoint sets of identifiers, each with at most one id."""

    def __init__(self, identifiers: Iterable[Identifier], cuts: Collection[Cut], max_line_ids: int) -> None:
        """Begin with each identifier alone.

        Args:
            identifiers: All that there are.
            cuts: Which of them must not come together.
            max_line_ids: Most LINE IDs of a set.
        """
        self._members = {identifier: {identifier} for identifier in identifiers}
        self._root = {identifier: identifier for identifier in self._members}
        self._owned = {identifier for identifier in self._members if identifier.kind is Kind.ID}
        self._line_ids = Counter(identifier for identifier in self._members if identifier.kind is Kind.LINE_ID)
        self._cuts = cuts
        self._max_line_ids = max_line_ids
        self.contested: set[Identifier] = set()
        """Identifiers that belong to nobody else, since profiles with different ids claim them."""
        self.refusals: set[Refusal] = set()
        self.cut_links: set[Link] = set()
        """Links that a cut made void."""

    def take(self, links: Iterable[Link], *, stop_at_conflict: bool) -> Identifier | None:
        """Take links one after the other, each unless something speaks against it.

        Returns:
            The identifier that would have brought two ids together, if told to stop there.
        """
        for link in links:
            if link.weak in self.contested:
                self.refusals.add(Refusal(Doubt.AMBIGUOUS_IDENTITY, link.strong, link.weak))
                continue
            kept, absorbed = self._root[link.strong], self._root[link.weak]
            if kept == absorbed:
                continue
            if kept in self._owned and absorbed in self._owned:
                if stop_at_conflict:
                    return link.weak
                continue
            if self._cuts and self._is_cut(kept, absorbed):
                self.cut_links.add(link)
                continue
            if self._line_ids[kept] + self._line_ids[absorbed] > self._max_line_ids:
                self.refusals.add(Refusal(Doubt.TOO_MANY_LINE_IDS, link.strong, link.weak))
                continue
            self._unite(kept, absorbed)
        return None

    def component_of(self) -> dict[Identifier, frozenset[Identifier]]:
        """The set that each identifier is in."""
        frozen = {root: frozenset(members) for root, members in self._members.items()}
        return {identifier: frozen[root] for identifier, root in self._root.items()}

    def _is_cut(self, kept: Identifier, absorbed: Identifier) -> bool:
        roots = {kept, absorbed}
        return any({self._root[one], self._root[other]} == roots for one, other in self._cuts)

    def _unite(self, kept: Identifier, absorbed: Identifier) -> None:
        if len(self._members[kept]) < len(self._members[absorbed]):
            kept, absorbed = absorbed, kept
        for identifier in self._members[absorbed]:
            self._root[identifier] = kept
        self._members[kept] |= self._members.pop(absorbed)
        self._line_ids[kept] += self._line_ids.pop(absorbed, 0)
        if absorbed in self._owned:
            self._owned.remove(absorbed)
            self._owned.add(kept)


def _profile(
    members: frozenset[Identifier],
    claims: list[Claim],
    follows: Mapping[Identifier, Follow],
    policy: Policy,
    *,
    is_contested: bool,
) -> Profile:
    first_at: dict[Identifier, int] = {}
    last_at: dict[Identifier, int] = {}
    for claim in claims:
        for identifier in claim.identifiers:
            first_at[identifier] = min(first_at.get(identifier, claim.first_at), claim.first_at)
            last_at[identifier] = max(last_at.get(identifier, claim.last_at), claim.last_at)

    def newest_first(identifier: Identifier) -> tuple[int, str]:
        return -last_at.get(identifier, UNDATED), identifier.value

    key = min(members, key=lambda member: (policy.rank(member), first_at.get(member, UNDATED), member))
    emails = sorted((member for member in members if member.kind is Kind.EMAIL), key=newest_first)
    line_ids = [member for member in members if member.kind is Kind.LINE_ID]
    accounts = {line_id: _account(line_id, follows.get(line_id)) for line_id in line_ids}
    return Profile(
        key=key,
        id=next((member.value for member in members if member.kind is Kind.ID), None),
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
    policy: Policy,
) -> dict[str, LineAccount]:
    """The account to write to, by provider: by the policy's criteria, then the smallest."""

    def order(line_id: Identifier) -> tuple[int | str, ...]:
        follow = follows.get(line_id)
        by_criterion = {
            Criterion.FOLLOWING: _FOLLOW_ORDER[accounts[line_id].follow_state],
            Criterion.LATEST_IDENTIFIED: -identified_at.get(line_id, UNDATED),
            Criterion.LATEST_FOLLOWED: -(follow.followed_at if follow else UNDATED),
        }
        return *(by_criterion[criterion] for criterion in policy.canonical), line_id.value

    elected: dict[str, LineAccount] = {}
    for line_id in sorted(accounts, key=order):
        elected.setdefault(line_id.provider, accounts[line_id])
    return elected


def _attributes(claims: Iterable[Claim], key: Identifier, policy: Policy) -> dict[str, object]:
    """Per key the newest value, or the newest that the survivor's own records give; a null clears.

    Ties go to claims that name the profile's key. An opt-out stays one as long as anything that was joined says so.
    """
    survivor_first = policy.attributes is AttributeConflict.SURVIVOR
    best: dict[str, tuple[tuple[bool, int, bool, str], object]] = {}
    opt_outs: dict[str, dict[Identifier, Dated]] = {}
    for claim in claims:
        names_key = key in claim.identifiers
        for name, said in claim.attributes.items():
            # Only what the survivor's records leave empty is filled from others.
            goes_first = survivor_first and names_key and said.value is not None
            weight = goes_first, said.at, names_key, said.tie_break()
            if name not in best or weight > best[name][0]:
                best[name] = weight, said.value
            if name in policy.opt_outs:
                sides = opt_outs.setdefault(name, {})
                side = min(claim.identifiers, key=policy.rank)
                sides[side] = sides[side].newer(said) if side in sides else said
    values = {name: value for name, (_, value) in best.items()}
    for name, sides in opt_outs.items():
        restrictive = [said.value for _, said in sorted(sides.items()) if opts_out(said.value)]
        if restrictive:
            values[name] = restrictive[0]
    return {name: value for name, value in sorted(values.items()) if value is not None}


def _absorbed(
    evidence: Evidence,
    policy: Policy,
    links: Iterable[Link],
    key_of: Mapping[Identifier, Identifier],
) -> Iterable[Join]:
    """The identifiers that would be profiles of their own, had no claim joined them to a stronger one."""
    standing_alone = evidence.follows.keys() | {min(claim, key=policy.rank) for claim in evidence.claims}
    joined_at: dict[Identifier, int] = {}
    for link in links:
        if key_of[link.strong] == key_of[link.weak]:
            for identifier in (link.strong, link.weak):
                joined_at[identifier] = min(joined_at.get(identifier, link.first_at), link.first_at)
    for identifier in standing_alone:
        survivor = key_of[identifier]
        if identifier != survivor:
            rule = Rule.EMAIL_IDENTIFIED if identifier.kind is Kind.EMAIL else Rule.ANONYMOUS_IDENTIFIED
            yield Join(rule, survivor, identifier, identifier, joined_at[identifier])


def _moved(
    links: Iterable[Link], key_of: Mapping[Identifier, Identifier], cut_links: Collection[Link]
) -> Iterable[Join]:
    """The identifiers that some profile claimed and another keeps."""
    for link in links:
        loser, winner = key_of[link.strong], key_of[link.weak]
        if loser != winner and link not in cut_links:
            yield Join(Rule.IDENTIFIER_MOVED, winner, loser, link.weak, link.last_at)
