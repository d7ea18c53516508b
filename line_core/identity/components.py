"""Links between identifiers, and the connected components that they form (merge rules 1 and 2)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from line_core.identity.model import CorrectionKind, Identifier, IdentifierKind
from line_core.identity.policy import IdentifierConflict
from line_core.identity.results import RejectedIdentifier, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from line_core.identity.model import Evidence
    from line_core.identity.policy import MergePolicy


class Link(NamedTuple):
    """Two identifiers that at least one claim assigns to one person."""

    strong: Identifier
    """Strongest identifier of the claim."""
    weak: Identifier
    first_at: int
    """Time of the oldest record with both."""
    last_at: int
    """Time of the newest record with both."""


def links_of(evidence: Evidence, policy: MergePolicy) -> list[Link]:
    """Return the links of all claims, in the order in which they are applied."""
    spans: dict[tuple[Identifier, Identifier], tuple[int, int]] = {}
    for claim in evidence.claims.values():
        names = [name for name in claim.identifiers if name not in evidence.shared]
        if not names:
            continue
        strong, *others = sorted(names, key=policy.rank)
        for weak in others:
            first, last = spans.get((strong, weak), (claim.first_at, claim.last_at))
            spans[strong, weak] = min(first, claim.first_at), max(last, claim.last_at)

    def order(link: Link) -> tuple[int, int, int, Identifier, Identifier]:
        age = link.first_at if policy.conflict is IdentifierConflict.FIRST else -link.last_at
        return policy.rank(link.weak), age, policy.rank(link.strong), link.strong, link.weak

    return sorted((Link(strong, weak, *span) for (strong, weak), span in spans.items()), key=order)


def connect(evidence: Evidence, links: list[Link], policy: MergePolicy) -> Components:
    """Apply links in their order and return the components.

    With `identifier_conflict: reject`, each conflict restarts the pass without the links to the contested identifier.
    """
    identifiers = evidence.people()
    separations = [
        correction.identifiers
        for correction in evidence.corrections
        if correction.kind is CorrectionKind.SEPARATE and identifiers.issuperset(correction.identifiers)
    ]
    contested: set[Identifier] = set()
    while True:
        components = Components(identifiers, separations, policy.max_line_ids, contested)
        conflict = components.apply(links, stop_at_conflict=policy.conflict is IdentifierConflict.REJECT)
        if conflict is None:
            return components
        contested.add(conflict)


class Components:
    """Connected components of identifiers, each with at most one id (union-find with member sets)."""

    def __init__(
        self,
        identifiers: Iterable[Identifier],
        separations: Collection[tuple[Identifier, ...]],
        max_line_ids: int,
        contested: Collection[Identifier] = (),
    ) -> None:
        """Start with one component per identifier.

        Args:
            identifiers: All identifiers of the evidence.
            separations: Pairs of identifiers that must stay in different components.
            max_line_ids: Maximum number of LINE IDs per component.
            contested: Identifiers whose links are rejected because several ids claim them.
        """
        self._members = {identifier: {identifier} for identifier in identifiers}
        self._root = {identifier: identifier for identifier in self._members}
        self._roots_with_id = {identifier for identifier in self._members if identifier.kind is IdentifierKind.ID}
        self._line_ids = Counter(root for root in self._members if root.kind is IdentifierKind.LINE_ID)
        self._separations = separations
        self._max_line_ids = max_line_ids
        self.contested = frozenset(contested)
        self.rejected: set[RejectedIdentifier] = set()
        """Identifiers of links that were rejected."""
        self.separated: set[Link] = set()
        """Links that a separation constraint voided."""

    def apply(self, links: Iterable[Link], *, stop_at_conflict: bool) -> Identifier | None:
        """Merge the components of each link, unless a rule forbids it.

        Returns:
            The first identifier whose link would put two ids into one component, if `stop_at_conflict`; otherwise None.
        """
        for link in links:
            if link.weak in self.contested:
                self._reject(link, RejectionReason.AMBIGUOUS_IDENTITY)
                continue
            strong, weak = self._root[link.strong], self._root[link.weak]
            if strong == weak:
                continue
            if strong in self._roots_with_id and weak in self._roots_with_id:
                if stop_at_conflict:
                    return link.weak
                continue
            if self._separations and self._must_stay_apart(strong, weak):
                self.separated.add(link)
                continue
            if self._line_ids[strong] + self._line_ids[weak] > self._max_line_ids:
                self._reject(link, RejectionReason.TOO_MANY_LINE_IDS)
                continue
            self._unite(strong, weak)
        return None

    def members_of(self) -> dict[Identifier, frozenset[Identifier]]:
        """Return the component of each identifier."""
        frozen = {root: frozenset(members) for root, members in self._members.items()}
        return {identifier: frozen[root] for identifier, root in self._root.items()}

    def _reject(self, link: Link, reason: RejectionReason) -> None:
        self.rejected.add(RejectedIdentifier(reason, link.strong, link.weak))

    def _must_stay_apart(self, root: Identifier, other_root: Identifier) -> bool:
        roots = {root, other_root}
        return any({self._root[one], self._root[other]} == roots for one, other in self._separations)

    def _unite(self, root: Identifier, other_root: Identifier) -> None:
        kept, absorbed = root, other_root
        if len(self._members[kept]) < len(self._members[absorbed]):
            kept, absorbed = absorbed, kept
        for identifier in self._members[absorbed]:
            self._root[identifier] = kept
        self._members[kept] |= self._members.pop(absorbed)
        self._line_ids[kept] += self._line_ids.pop(absorbed, 0)
        if absorbed in self._roots_with_id:
            self._roots_with_id.remove(absorbed)
            self._roots_with_id.add(kept)
