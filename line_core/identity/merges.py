"""What the merge rules did: profiles that were absorbed, and identifiers that moved, were superseded or unlinked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.identity.components import accepted
from line_core.identity.model import IdentifierKind
from line_core.identity.results import Merge, MergeRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from line_core.identity.components import Components
    from line_core.identity.links import Link, Links, NamedClaim
    from line_core.identity.model import Evidence, Identifier


def absorbed_profiles(
    evidence: Evidence,
    claims: Iterable[NamedClaim],
    links: Iterable[Link],
    key_of: Mapping[Identifier, Identifier],
) -> Iterator[Merge]:
    """Yield a merge for each identifier that would be the key of a profile without the links, and is not."""
    keys_without_links = {names[0] for names, _ in claims}
    keys_without_links |= {line_id for line_id, _ in evidence.follows} - evidence.shared
    linked_at: dict[Identifier, int] = {}
    for link in links:
        if key_of[link.strong] == key_of[link.weak]:
            for identifier in link.pair:
                linked_at[identifier] = min(linked_at.get(identifier, link.first_at), link.first_at)
    for identifier in keys_without_links:
        survivor = key_of[identifier]
        if identifier != survivor:
            is_email = identifier.kind is IdentifierKind.EMAIL
            rule = MergeRule.EMAIL_IDENTIFIED if is_email else MergeRule.ANONYMOUS_IDENTIFIED
            yield Merge(rule, survivor, identifier, identifier, linked_at[identifier])


def moved_identifiers(links: Links, components: Components, key_of: Mapping[Identifier, Identifier]) -> Iterator[Merge]:
    """Yield the moves of each identifier that several profiles claim, from the last claimant to its present profile."""
    claimants: dict[Identifier, dict[Identifier, int]] = {}
    for link in (*accepted(links.valid, components), *links.used_by_others):
        if link.weak not in components.contested:
            claimants.setdefault(link.weak, {}).setdefault(key_of[link.strong], link.last_at)
    for identifier, claimed_at in claimants.items():
        owner = key_of[identifier]
        for claimant, at in claimed_at.items():
            if claimant != key_of[identifier]:
                yield Merge(MergeRule.IDENTIFIER_MOVED, owner, claimant, identifier, at)
                owner = claimant


def ended_links(links: Links, key_of: Mapping[Identifier, Identifier]) -> Iterator[Merge]:
    """Yield the identifiers that were superseded or unlinked. A link that was superseded first is not unlinked."""
    for (strong, weak), successor in links.successors.items():
        if links.ended_at.get((strong, weak), successor.last_at + 1) > successor.last_at:
            survivor = key_of[strong]
            yield Merge(MergeRule.IDENTIFIER_SUPERSEDED, survivor, weak, successor.weak, successor.last_at)
    for (strong, weak), at in links.ended_at.items():
        superseded_by = links.successors.get((strong, weak))
        if superseded_by is None or superseded_by.last_at >= at:
            yield Merge(MergeRule.IDENTIFIER_UNLINKED, key_of[strong], weak, weak, at)
