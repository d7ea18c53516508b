"""Merge rules: a pure function from evidence to profiles.

The rules, in the order in which they are applied (docs/identity.md shows an example of each):

1. Every claim links its strongest identifier (by `identifier_precedence`) to each of its other identifiers.
2. Links are applied one after the other. Links to stronger identifiers come first, then the order depends on
   `identifier_conflict` (`latest`: newest claim first; `first`: oldest claim first), then the smallest identifier comes
   first. A link merges the components of its two identifiers into one, except in these cases:

   - Both components have an id. The link is ignored, so the identifier stays in the component that got it first. With
     `identifier_conflict: reject`, the identifier is contested: it stays in neither component.
   - A separation constraint forbids it.
   - The merged component would have more LINE IDs than `max_line_ids_per_profile`.
3. Each component is a profile. Its key is its strongest identifier, of several equally strong ones the oldest.

The result depends only on the set of claims. Order of arrival, batch boundaries, repetitions and restarts do not change
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.identity.components import connect, links_of
from line_core.identity.model import IdentifierKind
from line_core.identity.profiles import build_profile
from line_core.identity.results import Merge, MergeRule

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from line_core.identity.components import Link
    from line_core.identity.model import Claim, Evidence, Follow, Identifier
    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Profile, RejectedIdentifier


@dataclass(frozen=True, slots=True)
class Resolution:
    """Result of the merge rules."""

    profiles: tuple[Profile, ...]
    merges: frozenset[Merge]
    """Every merge of profiles and every moved identifier, regardless of age."""
    rejected_identifiers: frozenset[RejectedIdentifier] = frozenset()
    """Every identifier that a profile claims and does not get."""

    def profile_of(self, identifier: Identifier) -> Profile:
        """Return the profile that has an identifier.

        Raises:
            KeyError: No record names the identifier.
        """
        for profile in self.profiles:
            if identifier in profile.identifiers:
                return profile
        raise KeyError(identifier)


def resolve(evidence: Evidence, policy: MergePolicy, channel: str = "main") -> Resolution:
    """Apply the merge rules and return the profiles, merges and rejected identifiers.

    Args:
        evidence: All evidence of one or more clusters.
        policy: Settings of the merge rules.
        channel: Name of the channel whose follow states count.
    """
    links = links_of(evidence, policy)
    components = connect(evidence, links, policy)
    members_of = components.members_of()
    claims_of: dict[frozenset[Identifier], list[Claim]] = {members: [] for members in members_of.values()}
    for claim in evidence.claims.values():
        if names := [name for name in claim.identifiers if name not in evidence.shared]:
            claims_of[members_of[min(names, key=policy.rank)]].append(claim)
    follows = _follows_of(evidence, channel)
    profiles = tuple(
        build_profile(members, claims, follows, policy, is_contested=bool(members & components.contested))
        for members, claims in claims_of.items()
    )
    key_of = {identifier: profile.key for profile in profiles for identifier in profile.identifiers}
    # A later link may have merged what an earlier link could not.
    rejected = {item for item in components.rejected if key_of[item.claimed_by] != key_of[item.identifier]}
    rejected_pairs = {(item.claimed_by, item.identifier) for item in rejected}
    accepted_links = [link for link in links if (link.strong, link.weak) not in rejected_pairs]
    moves = _moves(accepted_links, key_of, components.separated)
    return Resolution(
        tuple(sorted(profiles, key=lambda profile: profile.key)),
        frozenset([*_profile_merges(evidence, policy, links, key_of), *moves]),
        frozenset(rejected),
    )


def _follows_of(evidence: Evidence, channel: str) -> dict[Identifier, Follow]:
    """Return the follow state of each LINE ID on a channel."""
    follows: dict[Identifier, Follow] = {}
    for follow in evidence.follows.values():
        if follow.channel in {channel, ""}:
            if known := follows.get(follow.line_id):
                known.merge(follow)
            else:
                follows[follow.line_id] = follow.copy()
    return follows


def _profile_merges(
    evidence: Evidence,
    policy: MergePolicy,
    links: Iterable[Link],
    key_of: Mapping[Identifier, Identifier],
) -> Iterator[Merge]:
    """Yield a merge for each identifier that would be the key of a profile without the links."""
    keys_without_links = {line_id for line_id, _ in evidence.follows} - evidence.shared
    for identifiers in evidence.claims:
        if names := [name for name in identifiers if name not in evidence.shared]:
            keys_without_links.add(min(names, key=policy.rank))
    linked_at: dict[Identifier, int] = {}
    for link in links:
        if key_of[link.strong] == key_of[link.weak]:
            for identifier in (link.strong, link.weak):
                linked_at[identifier] = min(linked_at.get(identifier, link.first_at), link.first_at)
    for identifier in keys_without_links:
        survivor = key_of[identifier]
        if identifier != survivor:
            is_email = identifier.kind is IdentifierKind.EMAIL
            rule = MergeRule.EMAIL_IDENTIFIED if is_email else MergeRule.ANONYMOUS_IDENTIFIED
            yield Merge(rule, survivor, identifier, identifier, linked_at[identifier])


def _moves(
    links: Iterable[Link], key_of: Mapping[Identifier, Identifier], separated: Collection[Link]
) -> Iterator[Merge]:
    """Yield a move for each identifier that one profile claims and another profile has."""
    for link in links:
        claimant, owner = key_of[link.strong], key_of[link.weak]
        if claimant != owner and link not in separated:
            yield Merge(MergeRule.IDENTIFIER_MOVED, owner, claimant, link.weak, link.last_at)
