"""Connected components of identifiers: links are applied one after the other, unless a rule forbids it (rule 4)."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from line_core.identity.model import CorrectionKind, Identifier, IdentifierKind
from line_core.identity.policy import IdentifierConflict
from line_core.identity.results import RejectedIdentifier, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from line_core.identity.links import Link, Links, Pair
    from line_core.identity.model import Evidence
    from line_core.identity.policy import MergePolicy


def connect(evidence: Evidence, links: Links, policy: MergePolicy) -> Components:
    """Apply the valid links in their order and return the components."""
    contested: frozenset[Identifier] = frozenset()
    if policy.conflict is IdentifierConflict.REJECT:
        contested = contested_identifiers(evidence, links, policy)
    components = Components(evidence, policy, contested)
    for link in links.valid:
        components.apply(link)
    return components


def contested_identifiers(evidence: Evidence, links: Links, policy: MergePolicy) -> frozenset[Identifier]:
    """Return the identifiers that several profiles claim that must not be merged.

    The identifiers are examined one after the other: stronger kinds first, then in the order of their text. All links
    to one identifier are compared at once. An identifier without a conflict is united with its claimants. Superseded
    links, links of contested identifiers, and the maximum number of LINE IDs do not count here.
    """

    def order(link: Link) -> tuple[int, Identifier, int, Identifier]:
        return policy.rank(link.weak), link.weak, policy.rank(link.strong), link.strong

    contested: set[Identifier] = set()
    components = Components(evidence, policy)
    in_force = sorted((link for link in links.valid if link.pair not in links.successors), key=order)
    for identifier, group in groupby(in_force, key=lambda link: link.weak):
        claims = [link for link in group if link.strong not in contested]
        if components.are_in_conflict(claims):
            contested.add(identifier)
            continue
        for link in claims:
            components.unite(link)
    return frozenset(contested)


class Components:
    """Disjoint sets of identifiers that grow by links (union-find with member sets)."""

    def __init__(self, evidence: Evidence, policy: MergePolicy, contested: Collection[Identifier] = ()) -> None:
        """Start with one component per identifier of the evidence.

        Args:
            evidence: The identifiers, and the corrections that separate some of them.
            policy: Settings of the merge rules.
            contested: Identifiers whose links are rejected.
        """
        self._policy = policy
        self._members = {identifier: {identifier} for identifier in evidence.people()}
        self._root = {identifier: identifier for identifier in self._members}
        strongest, second, *_ = policy.precedence
        self._with_strongest = {identifier for identifier in self._members if identifier.kind is strongest}
        self._with_second = {identifier for identifier in self._members if identifier.kind is second}
        self._line_ids = Counter(root for root in self._members if root.kind is IdentifierKind.LINE_ID)
        self._apart: dict[Identifier, set[Identifier]] = {}
        """Identifiers that must stay outside of a component, by its root."""
        for correction in evidence.corrections:
            if correction.kind is CorrectionKind.SEPARATE and self._root.keys() >= set(correction.identifiers):
                one, other = correction.identifiers
                self._apart.setdefault(one, set()).add(other)
                self._apart.setdefault(other, set()).add(one)
        self.contested = frozenset(contested)
        self.rejected: dict[Pair, RejectedIdentifier] = {}
        """Rejected links."""
        self.separated: set[Pair] = set()
        """Links that a correction forbids."""

    def apply(self, link: Link) -> None:
        """Merge the components of a link, unless a rule forbids it."""
        if not self.contested.isdisjoint(link.pair):
            self._reject(link, RejectionReason.AMBIGUOUS_IDENTITY)
            return
        strong, weak = self._root[link.strong], self._root[link.weak]
        if strong == weak or self._are_different_people(link, strong, weak):
            return
        if self._must_stay_apart(strong, weak):
            self.separated.add(link.pair)
        elif self._line_ids[strong] + self._line_ids[weak] > self._policy.max_line_ids:
            self._reject(link, RejectionReason.TOO_MANY_LINE_IDS)
        else:
            self._unite(strong, weak)

    def unite(self, link: Link) -> None:
        """Merge the components of a link, unless a correction forbids it."""
        strong, weak = self._root[link.strong], self._root[link.weak]
        if strong != weak and not self._must_stay_apart(strong, weak):
            self._unite(strong, weak)

    def are_in_conflict(self, links: Collection[Link]) -> bool:
        """Return whether links to one identifier, which no link was applied to yet, come from different people."""
        roots = {self._root[link.strong] for link in links}
        if len(roots & self._with_strongest) > 1:
            return True
        by_second = any(self._policy.rank(link.strong) == 1 for link in links)
        return by_second and len(roots & self._with_second) > 1

    def members_of(self) -> dict[Identifier, frozenset[Identifier]]:
        """Return the component of each identifier."""
        frozen = {root: frozenset(members) for root, members in self._members.items()}
        return {identifier: frozen[root] for identifier, root in self._root.items()}

    def _are_different_people(self, link: Link, root: Identifier, other_root: Identifier) -> bool:
        if root in self._with_strongest and other_root in self._with_strongest:
            return True
        by_second = self._policy.rank(link.strong) == 1
        return by_second and root in self._with_second and other_root in self._with_second

    def _reject(self, link: Link, reason: RejectionReason) -> None:
        self.rejected[link.pair] = RejectedIdentifier(reason, link.strong, link.weak)

    def _must_stay_apart(self, root: Identifier, other_root: Identifier) -> bool:
        if root not in self._apart or other_root not in self._apart:
            return False
        if len(self._apart[root]) > len(self._apart[other_root]):
            root, other_root = other_root, root
        return any(self._root[identifier] == other_root for identifier in self._apart[root])

    def _unite(self, root: Identifier, other_root: Identifier) -> None:
        kept, absorbed = root, other_root
        if len(self._members[kept]) < len(self._members[absorbed]):
            kept, absorbed = absorbed, kept
        for identifier in self._members[absorbed]:
            self._root[identifier] = kept
        self._members[kept] |= self._members.pop(absorbed)
        self._line_ids[kept] += self._line_ids.pop(absorbed, 0)
        for roots in (self._with_strongest, self._with_second):
            if absorbed in roots:
                roots.remove(absorbed)
                roots.add(kept)
        if absorbed in self._apart:
            small, large = sorted((self._apart.pop(absorbed), self._apart.pop(kept, set())), key=len)
            large |= small
            self._apart[kept] = large


def accepted(links: Iterable[Link], components: Components) -> Iterable[Link]:
    """Return the links that are neither rejected nor forbidden by a correction."""
    return (link for link in links if link.pair not in components.rejected and link.pair not in components.separated)
