"""Merge rules: a pure function from evidence to profiles. docs/identity.md states the rules and shows examples.

1. Every claim links its strongest identifier (by `identifier_precedence`) to each of its other identifiers: `links`.
   Links that are superseded come last, and are void as soon as somebody else uses the identifier.
2. Links are applied one after the other, unless a rule forbids it: `components`.
3. Each component is a profile: `profiles`. Opt-outs reach further than the links: `opt_outs`.

The result depends only on the set of records. Order of arrival, batch boundaries, repetitions and restarts do not
change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.identity.components import connect
from line_core.identity.links import links_of, named_claims
from line_core.identity.merges import absorbed_profiles, ended_links, moved_identifiers
from line_core.identity.model import IdentifierKind
from line_core.identity.opt_outs import opt_outs_of
from line_core.identity.profiles import ProfileBuilder

if TYPE_CHECKING:
    from line_core.identity.model import Claim, Evidence, Follow, Identifier
    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Merge, Profile, RejectedIdentifier


@dataclass(frozen=True, slots=True)
class Resolution:
    """Result of the merge rules."""

    profiles: tuple[Profile, ...]
    merges: frozenset[Merge]
    """Every merge of profiles, and every moved, superseded or unlinked identifier, regardless of age."""
    rejected_identifiers: frozenset[RejectedIdentifier] = frozenset()
    """Every identifier that a profile claims and does not get."""
    opted_out: tuple[Profile, ...] = ()
    """LINE IDs that only rejected records with an opt-out name. They are no profiles, but get no messages."""

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
    if evidence.is_one_follow():
        return _resolve_one_follow(evidence, policy, channel)
    claims = named_claims(evidence, policy)
    links = links_of(evidence, claims, policy)
    components = connect(evidence, links, policy)
    members_of = components.members_of()
    claims_of: dict[frozenset[Identifier], list[Claim]] = {members: [] for members in members_of.values()}
    for names, claim in claims:
        claims_of[members_of[names[0]]].append(claim)
    opt_outs = opt_outs_of(evidence, claims, policy)
    builder = ProfileBuilder(links.valid, _follow_states(evidence, channel), opt_outs, policy)
    profiles = tuple(
        builder.build(members, claims, is_contested=not components.contested.isdisjoint(members))
        for members, claims in claims_of.items()
    )
    key_of = {identifier: profile.key for profile in profiles for identifier in profile.identifiers}
    merges = [
        *absorbed_profiles(evidence, claims, links.valid, key_of),
        *moved_identifiers(links, components, key_of),
        *ended_links(links, key_of),
    ]
    # A later link may have merged what an earlier link could not.
    rejected = (item for item in components.rejected.values() if key_of[item.claimed_by] != key_of[item.identifier])
    opted_out = (
        builder.build(frozenset({name}), [], is_contested=False)
        for name in sorted(opt_outs.keys() - key_of.keys())
        if name.kind is IdentifierKind.LINE_ID
    )
    return Resolution(
        tuple(sorted(profiles, key=lambda profile: profile.key)),
        frozenset(merges),
        frozenset(rejected),
        tuple(opted_out),
    )


def _resolve_one_follow(evidence: Evidence, policy: MergePolicy, channel: str) -> Resolution:
    """Resolve the follow state of one LINE ID that no other record names: most of a store, before people identify."""
    ((line_id, _),) = evidence.follows
    builder = ProfileBuilder([], _follow_states(evidence, channel), {}, policy)
    return Resolution((builder.build(frozenset({line_id}), [], is_contested=False),), frozenset())


def _follow_states(evidence: Evidence, channel: str) -> dict[Identifier, Follow]:
    """Return the follow state of each LINE ID on a channel. States of older versions count for every channel."""
    states: dict[Identifier, Follow] = {}
    for follow in evidence.follows.values():
        if follow.channel in {channel, ""}:
            if known := states.get(follow.line_id):
                known.merge(follow)
            else:
                states[follow.line_id] = follow.copy()
    return states
