"""What the merge rules yield: profiles, merges, and identifiers that are rejected."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from line_core.identity.model import IdentifierKind

if TYPE_CHECKING:
    from line_core.follow_state import FollowState
    from line_core.identity.model import Identifier


@dataclass(frozen=True, slots=True)
class LineAccount:
    """One LINE ID of a profile."""

    line_id: str
    provider: str
    follow_state: FollowState
    """State for the channel that the evidence was resolved for."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One person: a set of merged identifiers with attributes."""

    key: Identifier
    """Strongest identifier."""
    id: str | None
    email: str | None
    line_accounts: tuple[LineAccount, ...]
    """Sorted by LINE ID."""
    canonical: dict[str, LineAccount]
    """LINE account to send messages to, by provider."""
    attributes: dict[str, Any]
    former_emails: tuple[str, ...]
    """The emails that `email` does not show."""
    identifiers: frozenset[Identifier]
    former_ids: tuple[str, ...] = ()
    """The ids that `id` does not show; empty if `id` is the strongest kind."""
    is_contested: bool = False
    """Whether the profile is an identifier that several profiles claim, and `identifier_conflict` is `reject`."""


class MergeRule(StrEnum):
    """Rule by which two profiles were merged or an identifier was moved, or the correction of an operator."""

    ANONYMOUS_IDENTIFIED = "anonymous_identified"
    """A profile with LINE IDs only was merged into the profile that claims one of them."""
    EMAIL_IDENTIFIED = "email_identified"
    """A profile without an id was merged into the profile that claims its email."""
    IDENTIFIER_MOVED = "identifier_moved"
    """Profiles that are never merged claim the identifier; `identifier_conflict` decided."""
    IDENTIFIER_SUPERSEDED = "identifier_superseded"
    """A newer record of the person names another email or LINE ID."""
    IDENTIFIER_UNLINKED = "identifier_unlinked"
    """A newer record of the person has null in place of the email or LINE ID."""
    UNMERGED = "unmerged"
    """An operator undid an earlier merge or move."""
    DETACHED = "detached"
    """An operator detached the identifier from every other one."""
    LINK_KEPT = "link_kept"
    """An operator undid that an identifier was superseded or unlinked."""
    WITHDRAWN = "withdrawn"
    """An operator withdrew a record."""


ABSORBING_RULES = frozenset({MergeRule.ANONYMOUS_IDENTIFIED, MergeRule.EMAIL_IDENTIFIED})
"""Rules by which a profile was merged into another one. Each absorbed profile has one merge."""
CORRECTION_RULES = frozenset({MergeRule.UNMERGED, MergeRule.DETACHED, MergeRule.LINK_KEPT, MergeRule.WITHDRAWN})
"""Corrections of an operator."""


@dataclass(frozen=True, slots=True)
class Merge:
    """One profile was merged into another, or one identifier was moved, superseded or unlinked."""

    rule: MergeRule
    survivor: Identifier
    """Key of the profile that has the identifier now."""
    absorbed: Identifier
    """Key of the profile that had or claimed the identifier; of a superseded or unlinked identifier, the identifier."""
    identifier: Identifier
    """Identifier that was merged, moved or unlinked, or the one that superseded `absorbed`."""
    evidence_at: int = field(compare=False)
    """Time of the deciding claim. Ignored in comparisons: older evidence of a merge does not make a second merge."""


class RejectionReason(StrEnum):
    """Reason why a profile does not get an identifier that it claims."""

    AMBIGUOUS_IDENTITY = "ambiguous_identity"
    """Profiles that are never merged claim it, and `identifier_conflict` is `reject`."""
    TOO_MANY_LINE_IDS = "too_many_line_ids"
    """The profile would have more LINE IDs than `max_line_ids_per_profile`."""
    SHARED_EMAIL = "shared_email"
    """It is claimed together with more identifiers than `max_people_per_email`."""
    SHARED_LINE_ID = "shared_line_id"
    """It is claimed together with more identifiers than `max_people_per_line_id`."""
    SHARED_ID = "shared_id"
    """It is claimed together with more identifiers than `max_identifiers_per_id`."""


SHARED_REASONS = {
    IdentifierKind.EMAIL: RejectionReason.SHARED_EMAIL,
    IdentifierKind.LINE_ID: RejectionReason.SHARED_LINE_ID,
    IdentifierKind.ID: RejectionReason.SHARED_ID,
}
"""Why an identifier of a kind identifies nobody."""


@dataclass(frozen=True, slots=True)
class RejectedIdentifier:
    """An identifier that a profile claims and does not get."""

    reason: RejectionReason
    claimed_by: Identifier
    """Strongest identifier of the claim."""
    identifier: Identifier
