"""Records as the slow model of docs/identity.md reads them.

The model knows one provider. It reads times in ISO 8601 with an offset, and it compares spellings only by case and
surrounding blanks: other spellings of identifiers and times have tests of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNDATED = float("-inf")
"""The time of records without a time: older than every date."""
KINDS = ("id", "email", "line_id")
SECONDS_PER_DAY = 86_400
_NO_WORDS = ("false", "f", "no", "n", "0", "off")
_TIME_COLUMNS = ("updated_at", "observed_at", "linked_at")
_FORMS = {"email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), "line_id": re.compile(r"U[0-9a-f]{32}")}

Known = tuple[str, str]
"""An identifier: its kind and its normalized value."""


@dataclass(frozen=True)
class Settings:
    """The settings of target-line that decide about identities, with their defaults."""

    identifier_precedence: Sequence[str] = KINDS
    identifier_conflict: str = "latest"
    attribute_conflict: str = "latest"
    canonical_line_id: Sequence[str] = (
        "not_unfollowed",
        "strongest_claim",
        "latest_identified",
        "following",
        "latest_followed",
    )
    max_line_ids_per_profile: int = 20
    max_people_per_email: int = 1000
    max_people_per_line_id: int = 100
    max_identifiers_per_id: int = 100
    null_identifiers: str = "ignore"
    suppression_attributes: Sequence[str] = ("unsubscribed",)
    junk_identifiers: Sequence[str] = ("null", "unknown", "n/a", "test@test.com")
    channel: str = "main"
    now: str = "2026-06-01T00:00:00Z"

    def rank(self, kind: str) -> int:
        """Return 0 for the strongest kind."""
        return list(self.identifier_precedence).index(kind)

    def strongest(self, identifiers: Iterable[Known]) -> Known:
        """Return the identifier of the strongest kind; a claim has at most one of each kind."""
        return min(identifiers, key=lambda known: self.rank(known[0]))


@dataclass(frozen=True)
class Claim:
    """What one `profiles` record says."""

    identifiers: tuple[Known, ...]
    time: float
    link_time: float
    """Time at which the record names its LINE ID: `linked_at`, else the time of the record."""
    empty_kinds: tuple[str, ...]
    """Kinds whose column is null or blank."""
    attributes: dict[str, Any]
    answers: tuple[tuple[str, Any], ...]
    """Names and values of all columns, and of all keys of the column `attributes`: a name may occur twice."""
    is_rejected: bool = False

    def time_of(self, identifier: Known) -> float:
        """Return the time at which the record names an identifier."""
        return self.link_time if identifier[0] == "line_id" else self.time


@dataclass(frozen=True)
class Follow:
    """What one record of a follow stream says."""

    line_id: Known
    channel: str
    state: str
    time: float
    followed_at: float
    """Newest time at which the record says that the LINE ID followed the channel."""


class _UnusableTimeError(ValueError):
    """The time cannot be read, or is too far in the future."""


def consent(value: Any) -> str | None:
    """Return `yes`, `no`, or None if the value of a suppression attribute says nothing (rule 9)."""
    text = value.strip().casefold() if isinstance(value, str) else value
    if text is None or text in ("", [], {}):
        return None
    return "no" if text in _NO_WORDS or (isinstance(text, int | float) and text == 0) else "yes"


class Records:
    """The claims and the follows of a list of records, and the claims of rejected records.

    Args:
        records: Pairs of a stream role and a record, in the order of arrival. The order counts only for rejected
            records whose time cannot be used.
        settings: The settings.
    """

    def __init__(self, records: Iterable[tuple[str, dict[str, Any]]], settings: Settings) -> None:
        self.settings = settings
        self.claims: list[Claim] = []
        self.rejected: list[Claim] = []
        self.follows: list[Follow] = []
        for role, record in records:
            if role == "profiles":
                self._read_profile(record)
            else:
                self._read_follow(role, record)

    def _time(self, value: Any) -> float:
        if value is None or not str(value).strip():
            return UNDATED
        try:
            time = datetime.fromisoformat(value).timestamp()
        except ValueError as error:
            raise _UnusableTimeError from error
        if time > datetime.fromisoformat(self.settings.now).timestamp() + SECONDS_PER_DAY:
            raise _UnusableTimeError
        return time

    def _identifier(self, kind: str, value: Any) -> Known | None:
        """Return the identifier, or None if it is malformed or a placeholder."""
        text = str(value).strip()
        text = text.lower() if kind == "email" else text
        if isinstance(value, bool | float | list | dict) or text.casefold() in self.settings.junk_identifiers:
            return None
        is_well_formed = kind == "id" or _FORMS[kind].fullmatch(text)
        return (kind, text) if is_well_formed else None

    def _read_profile(self, record: dict[str, Any]) -> None:
        empty = tuple(kind for kind in KINDS if kind in record and str(record[kind] or "").strip() == "")
        named = (self._identifier(kind, record[kind]) for kind in KINDS if kind in record and kind not in empty)
        identifiers = tuple(known for known in named if known)
        columns = {name: value for name, value in record.items() if name not in (*KINDS, *_TIME_COLUMNS, "attributes")}
        nested = record.get("attributes") or {}
        is_rejected = not isinstance(nested, dict)
        nested = {} if is_rejected else nested
        answers = (*nested.items(), *columns.items())
        try:
            time = self._time(record.get("updated_at") or record.get("observed_at"))
        except _UnusableTimeError:
            time, is_rejected = UNDATED, True
        try:
            link_time = self._time(record["linked_at"]) if record.get("linked_at") else time
        except _UnusableTimeError:
            link_time, is_rejected = time, True
        if is_rejected and time == UNDATED:
            # Only a yes counts: a no at a time that nobody knows is not later than a yes.
            answers = tuple((name, value) for name, value in answers if consent(value) == "yes")
            times = [claim.time for claim in self.claims if set(claim.identifiers) & set(identifiers)]
            time = max(times, default=UNDATED)
        claim = Claim(identifiers, time, link_time, empty, {**nested, **columns}, answers, is_rejected)
        if identifiers:
            (self.rejected if is_rejected else self.claims).append(claim)

    def _read_follow(self, role: str, record: dict[str, Any]) -> None:
        columns = {
            "follows": ("type", "occurred_at"),
            "followers": ("follow_state", "observed_at"),
            "friendships": ("follow_state", "updated_at"),
        }
        state_column, time_column = columns[role]
        states = {"follow": "following", "unfollow": "unfollowed"}
        state = record.get(state_column, "following")
        known = self._identifier("line_id", record["line_id"])
        if known:
            state = states.get(state, state)
            time = self._time(record.get(time_column))
            followed_at = time if state == "following" else self._time(record.get("last_followed_at"))
            channel = record.get("channel") or self.settings.channel
            self.follows.append(Follow(known, channel, state, time, followed_at))
