"""Links between identifiers: which claims make, and which of them are superseded or void (merge rules 2, 4 and 5)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from line_core.identity.model import CorrectionKind, Identifier, IdentifierKind
from line_core.identity.policy import IdentifierConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from line_core.identity.model import Claim, Evidence
    from line_core.identity.policy import MergePolicy

Pair = tuple[Identifier, Identifier]
"""The strongest identifier of a claim, and another one."""


class Link(NamedTuple):
    """Two identifiers that at least one claim assigns to one person."""

    strong: Identifier
    """Strongest identifier of the claim."""
    weak: Identifier
    first_at: int
    """Time of the oldest record with both; of a LINE ID, the time at which it was linked."""
    last_at: int
    """Time of the newest record with both; of a LINE ID, the time at which it was linked."""

    @property
    def pair(self) -> Pair:
        """The two identifiers."""
        return self.strong, self.weak


class NamedClaim(NamedTuple):
    """A claim with its identifiers that are not shared."""

    names: Sequence[Identifier]
    """The strongest identifier first; at least one."""
    claim: Claim


@dataclass(slots=True)
class Links:
    """The links of all claims."""

    valid: list[Link]
    """Links that are not void, in the order in which they are applied."""
    successors: dict[Pair, Link]
    """Superseded links, with the next newer link of the same identifier to the same kind."""
    ended_at: dict[Pair, int]
    """Links that a record with null in place of the weaker identifier ended, with its time."""
    used_by_others: list[Link] = field(default_factory=list)
    """Superseded links that are void because somebody else uses the weaker identifier."""


def named_claims(evidence: Evidence, policy: MergePolicy) -> list[NamedClaim]:
    """Return the claims that name an identifier that is not shared."""
    rank = {kind: position for position, kind in enumerate(policy.precedence)}
    found = []
    for identifiers, claim in evidence.claims.items():
        names = [name for name in identifiers if name not in evidence.shared] if evidence.shared else list(identifiers)
        if names:
            names.sort(key=lambda name: rank[name.kind])
            found.append(NamedClaim(names, claim))
    return found


def links_of(evidence: Evidence, claims: Iterable[NamedClaim], policy: MergePolicy) -> Links:
    """Return the links of the claims."""
    links = _all_links(claims)
    kept = _corrected(evidence, CorrectionKind.KEEP_LINK)
    detached = {identifier for (identifier,) in _corrected(evidence, CorrectionKind.DETACH)}
    successors = _successors(links, kept)
    ended_at = _ended_at(evidence, links, kept)
    used = _newest_uses(claims, {weak for _, weak in successors})
    valid: list[Link] = []
    used_by_others: list[Link] = []
    for link in links:
        if link.pair in ended_at or (detached and not detached.isdisjoint(link.pair)):
            continue
        is_used = link.pair in successors and any(
            strong != link.strong and at > link.last_at for strong, at in used.get(link.weak, ())
        )
        (used_by_others if is_used else valid).append(link)

    def order(link: Link) -> tuple[bool, int, int, int, Identifier, Identifier]:
        age = link.first_at if policy.conflict is IdentifierConflict.FIRST else -link.last_at
        return link.pair in successors, policy.rank(link.weak), policy.rank(link.strong), age, link.strong, link.weak

    return Links(sorted(valid, key=order), successors, ended_at, sorted(used_by_others, key=order))


def _all_links(claims: Iterable[NamedClaim]) -> list[Link]:
    spans: dict[Pair, tuple[int, int]] = {}
    for names, claim in claims:
        strong = names[0]
        for weak in names[1:]:
            first, last = claim.named(weak)
            if known := spans.get((strong, weak)):
                first, last = min(first, known[0]), max(last, known[1])
            spans[strong, weak] = first, last
    return [Link(strong, weak, first, last) for (strong, weak), (first, last) in spans.items()]


def _corrected(evidence: Evidence, kind: CorrectionKind) -> set[tuple[Identifier, ...]]:
    return {correction.identifiers for correction in evidence.corrections if correction.kind is kind}


def _successors(links: Iterable[Link], kept: set[tuple[Identifier, ...]]) -> dict[Pair, Link]:
    """Return the superseded links, except those that an operator keeps, with the next newer link of each."""
    groups: defaultdict[tuple[Identifier, IdentifierKind, str], list[Link]] = defaultdict(list)
    for link in links:
        if link.weak.kind is not IdentifierKind.ID:
            groups[link.strong, link.weak.kind, link.weak.provider].append(link)
    successors: dict[Pair, Link] = {}
    for group in groups.values():
        # Links with the same time have the same successor: the smallest of the next newer ones.
        by_time: dict[int, list[Link]] = {}
        for link in sorted(group, key=lambda link: (link.last_at, link.weak)):
            by_time.setdefault(link.last_at, []).append(link)
        for older, newer in pairwise(by_time.values()):
            successors |= {link.pair: newer[0] for link in older if link.pair not in kept}
    return successors


def _ended_at(evidence: Evidence, links: Iterable[Link], kept: set[tuple[Identifier, ...]]) -> dict[Pair, int]:
    if not evidence.unlinks:
        return {}
    ended_at: dict[Pair, int] = {}
    for link in links:
        unlink = evidence.unlinks.get((link.strong, link.weak.kind, link.weak.provider))
        if unlink and link.last_at < unlink.at and link.pair not in kept:
            ended_at[link.pair] = unlink.at
    return ended_at


def _newest_uses(
    claims: Iterable[NamedClaim], identifiers: set[Identifier]
) -> dict[Identifier, list[tuple[Identifier, int]]]:
    """Return the two newest uses of each identifier: strongest identifiers that claim it, and the newest time.

    Claims of a LINE ID alone, for example by a profile of LINE, are no uses.
    """
    if not identifiers:
        return {}
    uses: defaultdict[Identifier, dict[Identifier, int]] = defaultdict(dict)
    for names, claim in claims:
        if len(names) == 1 and names[0].kind is IdentifierKind.LINE_ID:
            continue
        for name in names:
            if name in identifiers:
                at = claim.named(name)[1]
                uses[name][names[0]] = max(at, uses[name].get(names[0], at))
    return {name: sorted(by.items(), key=lambda use: -use[1])[:2] for name, by in uses.items()}
