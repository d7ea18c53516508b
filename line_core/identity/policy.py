"""The settings that who is who depends on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.identity.model import Kind

if TYPE_CHECKING:
    from line_core.identity.model import Identifier


class IdentifierConflict(StrEnum):
    """Who keeps an identifier that profiles with different ids claim."""

    LATEST = "latest"
    FIRST = "first"
    REJECT = "reject"


class AttributeConflict(StrEnum):
    """Whose value an attribute has when records of one person differ."""

    LATEST = "latest"
    SURVIVOR = "survivor"


class Criterion(StrEnum):
    """By what the LINE ID to write to is elected."""

    FOLLOWING = "following"
    """Following before unknown before unfollowed."""
    LATEST_IDENTIFIED = "latest_identified"
    """The one that the newest record names."""
    LATEST_FOLLOWED = "latest_followed"
    """The one that was newest seen following."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that the rules depend on."""

    precedence: tuple[Kind, ...] = (Kind.ID, Kind.EMAIL, Kind.LINE_ID)
    conflict: IdentifierConflict = IdentifierConflict.LATEST
    attributes: AttributeConflict = AttributeConflict.LATEST
    canonical: tuple[Criterion, ...] = tuple(Criterion)
    """In this order; the smallest LINE ID decides what is left."""
    max_line_ids: int = 20
    """Most LINE IDs of a profile."""
    opt_outs: tuple[str, ...] = ("unsubscribed",)
    """Attributes that say, when true, that the person wants no messages."""
    max_people_per_email: int = 1000
    """An email that more ids and LINE IDs are claimed with names nobody."""

    def rank(self, identifier: Identifier) -> int:
        """0 for the strongest kind."""
        return self.precedence.index(identifier.kind)


def opts_out(value: object) -> bool:
    """Whether an opt-out is one; what is not clearly a no is a yes, since that only ever sends less."""
    if isinstance(value, str):
        return value.strip().casefold() not in {"", "false", "f", "no", "n", "0", "off"}
    return bool(value)
