"""Settings of the merge rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.identity.model import IdentifierKind

if TYPE_CHECKING:
    from line_core.identity.model import Identifier


class IdentifierConflict(StrEnum):
    """Which profile gets an identifier that profiles with different ids claim."""

    LATEST = "latest"
    """The profile with the newest claim."""
    FIRST = "first"
    """The profile with the oldest claim."""
    REJECT = "reject"
    """None of them; the identifier becomes a contested profile."""


class AttributeConflict(StrEnum):
    """Which value an attribute has when the merged records differ."""

    LATEST = "latest"
    """The newest value."""
    SURVIVOR = "survivor"
    """The newest value in records that name the profile's key."""


class CanonicalCriterion(StrEnum):
    """Criterion for the canonical LINE ID: the LINE ID that messages to a profile are sent to."""

    NOT_UNFOLLOWED = "not_unfollowed"
    """LINE IDs that are not known to have left the channel first."""
    STRONGEST_CLAIM = "strongest_claim"
    """LINE IDs that are claimed by the profile's key first."""
    LATEST_IDENTIFIED = "latest_identified"
    """Newest link to the LINE ID."""
    FOLLOWING = "following"
    """Following before unknown before unfollowed."""
    LATEST_FOLLOWED = "latest_followed"
    """Latest time at which the LINE ID was following."""


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """Settings of the merge rules. The store keeps them as JSON with these field names."""

    precedence: tuple[IdentifierKind, ...] = (IdentifierKind.ID, IdentifierKind.EMAIL, IdentifierKind.LINE_ID)
    """Kinds of identifiers, the strongest first."""
    conflict: IdentifierConflict = IdentifierConflict.LATEST
    attributes: AttributeConflict = AttributeConflict.LATEST
    canonical: tuple[CanonicalCriterion, ...] = tuple(CanonicalCriterion)
    """Applied in this order. If all criteria are equal, the smallest LINE ID wins."""
    max_line_ids: int = 20
    """Maximum number of LINE IDs of a profile."""
    opt_outs: tuple[str, ...] = ("unsubscribed",)
    """Attributes that mean, when true, that the person wants no messages."""
    max_people_per_email: int = 1000
    """Maximum number of ids and LINE IDs that an email is claimed with; with more it is shared."""
    max_people_per_line_id: int = 100
    """Maximum number of ids and emails that a LINE ID is claimed with; with more it is shared."""
    max_identifiers_per_id: int = 100
    """Maximum number of emails and LINE IDs that an id is claimed with; with more it is shared."""

    def bound(self, kind: IdentifierKind) -> int:
        """Return with how many other identifiers an identifier of this kind can be claimed before it is shared."""
        match kind:
            case IdentifierKind.ID:
                return self.max_identifiers_per_id
            case IdentifierKind.EMAIL:
                return self.max_people_per_email
            case IdentifierKind.LINE_ID:
                return self.max_people_per_line_id

    def rank(self, identifier: Identifier) -> int:
        """Return 0 for the strongest kind of identifier, 1 for the next, and so on."""
        return self.precedence.index(identifier.kind)
