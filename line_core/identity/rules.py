"""The merge rules: from evidence to profiles, as a pure function.

The rules, in the order that they work (docs/identity.md shows each with an example):

1. Every claim links its strongest identifier (by `identifier_precedence`) to each of its others.
2. Links are taken one after the other: those to stronger identifiers first, then by `identifier_conflict` (`latest`:
   the newest claim first; `first`: the oldest first), then the smallest. A link joins its two sides into one profile,
   unless that would bring two different ids together: then it is void, and the identifier stays with the winner.
3. What is joined at the end is a profile. Its key is its strongest identifier, of equally strong ones the oldest.

Since the outcome depends on the set of claims and nothing else, the order of arrival, batches, repetitions and restarts
cannot change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from line_core.identity.model import (
    UNDATED,
    Dated,
    FollowState,
    Identifier,
    Join,
    Kind,
    LineAccount,
    Profile,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from line_core.identity.model import Claim, Evidence, Follow


class IdentifierConflict(StrEnum):
    """Who keeps an identifier that profiles with different ids claim."""

    LATEST = "latest"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that the rules depend on."""

    precedence: tuple[Kind, ...] = (Kind.ID, Kind.EMAIL, Kind.LINE_ID)
    conflict: IdentifierConflict = IdentifierConflict.LATEST

    def rank(self, identifier: Identifier) -> int:
        """0 for the strongest kind."""
        return self.precedence.index(identifier.kind)


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
    component_of = _join(evidence.identifiers(), links)
    claims_of: dict[frozenset[Identifier], list[Claim]] = {members: [] for members in component_of.values()}
    for claim in evidence.claims.values():
        claims_of[component_of[min(claim.identifiers, key=policy.rank)]].append(claim)
    profiles = tuple(_profile(members, claims, evidence.follows, policy) for members, claims in claims_of.items())
    key_of = {identifier: profile.key for profile in profiles for identifier in profile.identifiers}
    return Resolution(
        tuple(sorted(profiles, key=lambda profile: profile.key)),
        frozenset([*_absorbed(evidence, policy, links, key_of), *_moved(links, key_of)]),
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
        age = -link.last_at if policy.conflict is IdentifierConflict.LATEST else link.first_at
        return policy.rank(link.weak), age, policy.rank(link.strong), link.strong, link.weak

    return sorted((Link(strong, weak, *span) for (strong, weak), span in spans.items()), key=order)


def _join(identifiers: Iterable[Identifier], links: Iterable[Link]) -> dict[Identifier, frozenset[Identifier]]:
    """Take the links in their order; the component that each identifier ends in."""
    members = {identifier: {identifier} for identifier in identifiers}
    root = {identifier: identifier for identifier in members}
    owner = {identifier: identifier for identifier in members if identifier.kind is Kind.ID}
    for link in links:
        kept, absorbed = root[link.strong], root[link.weak]
        if kept == absorbed or (kept in owner and absorbed in owner):
            continue
        if len(members[kept]) < len(members[absorbed]):
            kept, absorbed = absorbed, kept
        for identifier in members[absorbed]:
            root[identifier] = kept
        members[kept] |= members.pop(absorbed)
        if absorbed in owner:
            owner[kept] = owner.pop(absorbed)
    frozen = {kept: frozenset(component) for kept, component in members.items()}
    return {identifier: frozen[kept] for identifier, kept in root.items()}


def _profile(
    members: frozenset[Identifier],
    claims: list[Claim],
    follows: Mapping[Identifier, Follow],
    policy: Policy,
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
        canonical=_canonical(accounts, follows, last_at),
        attributes=_attributes(claims, key),
        former_emails=tuple(sorted(email.value for email in emails[1:])),
        identifiers=members,
    )


def _account(line_id: Identifier, follow: Follow | None) -> LineAccount:
    return LineAccount(line_id.value, line_id.provider, follow.state if follow else FollowState.UNKNOWN)


def _canonical(
    accounts: Mapping[Identifier, LineAccount],
    follows: Mapping[Identifier, Follow],
    identified_at: Mapping[Identifier, int],
) -> dict[str, LineAccount]:
    """The account to write to, by provider: following first, then latest identified, latest followed, smallest."""

    def order(line_id: Identifier) -> tuple[int, int, int, str]:
        follow = follows.get(line_id)
        return (
            _FOLLOW_ORDER[accounts[line_id].follow_state],
            -identified_at.get(line_id, UNDATED),
            -(follow.followed_at if follow else UNDATED),
            line_id.value,
        )

    elected: dict[str, LineAccount] = {}
    for line_id in sorted(accounts, key=order):
        elected.setdefault(line_id.provider, accounts[line_id])
    return elected


def _attributes(claims: Iterable[Claim], key: Identifier) -> dict[str, object]:
    """Per key the newest value; ties go to claims that name the profile's key; a null clears."""
    newest: dict[str, tuple[Dated, bool]] = {}
    for claim in claims:
        names_key = key in claim.identifiers
        for name, said in claim.attributes.items():
            held = newest.get(name)
            if held is None or _wins(said, held[0], names_key=names_key, held_names_key=held[1]):
                newest[name] = said, names_key
    return {name: said.value for name, (said, _) in sorted(newest.items()) if said.value is not None}


def _wins(said: Dated, held: Dated, *, names_key: bool, held_names_key: bool) -> bool:
    return (said.at, names_key, said.tie_break()) > (held.at, held_names_key, held.tie_break())


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


def _moved(links: Iterable[Link], key_of: Mapping[Identifier, Identifier]) -> Iterable[Join]:
    """The identifiers that some profile claimed and another keeps."""
    for link in links:
        loser, winner = key_of[link.strong], key_of[link.weak]
        if loser != winner:
            yield Join(Rule.IDENTIFIER_MOVED, winner, loser, link.weak, link.last_at)
