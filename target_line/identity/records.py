"""Parsing of records into identity evidence."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from line_core.consent import consent_of
from line_core.follow_state import FollowState
from line_core.identity.model import UNDATED, Claim, DatedValue, Follow, IdentifierKind, RefusedOptOut, Unlink
from target_line.identity.identifiers import whole_number
from target_line.intake.columns import ColumnPlan, column_plan, spellings_in, with_known_names, with_unambiguous_names
from target_line.intake.json_values import problem_of
from target_line.intake.roles import Role
from target_line.intake.times import milliseconds, read_time
from target_line.reasons import Reason, RejectedRecordError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from line_core.identity.model import EvidenceRecord, Identifier
    from target_line.identity.identifiers import FoundIdentifiers, IdentifierReader
    from target_line.intake.rejects import RemovedIdentifier

PROFILE_COLUMNS = frozenset({"id", "email", "line_id", "updated_at", "observed_at", "linked_at", "attributes"})
"""Columns of a `profiles` record that are not attributes."""

_STATES = {state.value: state for state in FollowState}
_FOLLOW_COLUMNS = {
    Role.FOLLOWS: ("type", {"follow": FollowState.FOLLOWING, "unfollow": FollowState.UNFOLLOWED}, "occurred_at"),
    Role.FOLLOWERS: ("follow_state", _STATES, "observed_at"),
    Role.FRIENDSHIPS: ("follow_state", _STATES, "updated_at"),
}
FOLLOW_COLUMNS = frozenset(
    {
        "line_id",
        "channel",
        "last_followed_at",
        *(column for state, _, at in _FOLLOW_COLUMNS.values() for column in (state, at)),
    }
)


class NullIdentifiers(StrEnum):
    """What a `line_id` or `email` that is null or blank means."""

    IGNORE = "ignore"
    """Nothing: the person keeps the identifiers of this kind."""
    CLEAR = "clear"
    """The links of the record's strongest identifier to older values of this kind end."""


_IGNORE = NullIdentifiers.IGNORE  # looking up a member of an enumeration takes as long as a function call


class ParsedEvidence(NamedTuple):
    """The evidence of one record."""

    records: tuple[EvidenceRecord, ...]
    notices: tuple[RemovedIdentifier, ...] = ()
    """Identifiers that were removed from the record."""
    is_rejected: bool = False
    """Whether the record was rejected; then the evidence is its opt-out."""


@dataclass(frozen=True, slots=True)
class EvidenceParser:
    """Parses records of profiles and of follow states with the settings of a run."""

    identifiers: IdentifierReader
    rank: Callable[[Identifier], int]
    """Returns 0 for the strongest kind of identifier; see `MergePolicy.rank`."""
    channel: str = "main"
    """Name of the channel of follow states without the column `channel`."""
    time_zone: tzinfo = UTC
    """Time zone of times without one."""
    max_future_time: timedelta = timedelta(days=1)
    """How far ahead of the clock a time can be."""
    opt_out_attributes: tuple[str, ...] = ()
    null_identifiers: NullIdentifiers = NullIdentifiers.IGNORE
    clock: Callable[[], float] = time.time
    """Returns the current time in seconds since 1970."""

    def parse_profile(self, record: Mapping[str, Any]) -> ParsedEvidence:
        """Parse a `profiles` record.

        Args:
            record: At least one of `id`, `email` and `line_id`; `updated_at`, else `observed_at`; `linked_at`. Every
                other column is an attribute, and every key of the column `attributes` (an object, or its JSON text).

        Raises:
            RejectedRecordError: The record has no identifier, or a value is invalid.
        """
        columns = self._columns_of(record)
        if not columns.has_known_names:
            record = with_known_names(record, PROFILE_COLUMNS)
            columns = self._columns_of(record)
        found = self.identifiers.read(record)
        self._check_identifiers(found)
        at = self._time_of_profile(record)
        linked = None
        if "linked_at" in record and (linked_at := self._time(record, "linked_at")) != UNDATED:
            linked = linked_at
        nested, attributes = _nested_attributes(record), {name: record[name] for name in columns.others}
        _check_attributes(nested, attributes)
        if nested or (columns.spelling_of and not _are_settled(columns.spelling_of, attributes)):
            attributes = self._with_opt_outs(nested, attributes)
        dated = {name: DatedValue(at, value) for name, value in attributes.items()}
        claim = Claim(found.valid, at, at, dated, linked, linked)
        return ParsedEvidence((claim, *self._unlinks(record, found.valid, at)), found.removed)

    def parse_follow(self, record: Mapping[str, Any], role: Role) -> ParsedEvidence:
        """Parse a record of a stream of follow states, as tap-line emits them.

        Args:
            record: `line_id`; optionally `channel`; by role: `follows`: `type` (follow or unfollow) and `occurred_at`;
                `friendships`: `follow_state`, `updated_at` and optionally `last_followed_at`; `followers`:
                `observed_at`, and `follow_state` if it is not `following`.
            role: Role of the stream: follows, followers or friendships.

        Raises:
            RejectedRecordError: The record has no LINE ID, or a value is invalid.
        """
        record = with_known_names(record, FOLLOW_COLUMNS)
        found = self.identifiers.read({IdentifierKind.LINE_ID: record.get("line_id")})
        self._check_identifiers(found)
        state_column, states, time_column = _FOLLOW_COLUMNS[role]
        value = record.get(state_column)
        if role is Role.FOLLOWERS and _is_blank(value):
            value = FollowState.FOLLOWING.value
        state = states.get(value.strip().casefold()) if isinstance(value, str) else None
        if state is None:
            expected = ", ".join(states)
            raise RejectedRecordError(
                Reason.INVALID_FOLLOW_STATE, f"{state_column} {shown(value)} is not one of {expected}", state_column
            )
        at = self._time(record, time_column)
        followed_at = at if state is FollowState.FOLLOWING else self._last_followed_at(record)
        (line_id,) = found.valid
        return ParsedEvidence((Follow(line_id, state, at, followed_at, self._channel_of(record)),))

    def refused_opt_out(self, record: Mapping[str, Any], *, is_mapped: bool = True) -> RefusedOptOut | None:
        """Return the opt-out of a rejected `profiles` record for the valid identifiers that it names; None without one.

        Without a time that can be used, only a yes counts: when a no was said is unknown. The same applies to a record
        to which the stream maps were not applied (not `is_mapped`): its columns may be about somebody else.
        """
        record = with_unambiguous_names(record, PROFILE_COLUMNS)
        found = self.identifiers.read(record)
        if not found.valid:
            return None
        try:
            at = self._time_of_profile(record)
        except RejectedRecordError:
            at = UNDATED
        try:
            nested = _nested_attributes(record)
        except RejectedRecordError:
            nested = {}
        said = self._with_opt_outs(nested, {name: record[name] for name in self._columns_of(record).others})
        attributes = {
            name: DatedValue(at, True if problem_of(value) else value)  # a value that cannot be stored says yes
            for name, value in said.items()
            if name in self.opt_out_attributes and (consent_of(value) or (is_mapped and at != UNDATED))
        }
        return RefusedOptOut(found.valid, attributes) if attributes else None

    def _columns_of(self, record: Mapping[str, Any]) -> ColumnPlan:
        return column_plan(tuple(record), PROFILE_COLUMNS, self.opt_out_attributes)

    def _check_identifiers(self, found: FoundIdentifiers) -> None:
        """Check that a record has an identifier, and that its strongest one was not erased.

        Raises:
            RejectedRecordError: It has none, or its strongest one was erased.
        """
        if not found.removed and found.valid:
            return
        erased = [removed.erased for removed in found.removed if removed.erased]
        if erased:
            strongest = min((*found.valid, *erased), key=self.rank)
            if strongest in erased:
                raise RejectedRecordError(Reason.FORGOTTEN, "the record names a person who was erased on request")
        if found.valid:
            return
        if found.removed:
            first = found.removed[0]
            raise RejectedRecordError(first.reason, "; ".join(each.detail for each in found.removed), first.column)
        raise RejectedRecordError(Reason.NO_IDENTIFIER, "none of id, email and line_id has a value")

    def _time_of_profile(self, record: Mapping[str, Any]) -> int:
        at = self._time(record, "updated_at")
        return self._time(record, "observed_at") if at == UNDATED else at

    def _time(self, record: Mapping[str, Any], column: str) -> int:
        """Return the milliseconds of a time, `UNDATED` if there is no value."""
        value = record.get(column)
        at = None if value is None else read_time(value, column, self.time_zone)
        if at is None:
            return UNDATED
        at_milliseconds = milliseconds(at)
        if at_milliseconds > (self.clock() + self.max_future_time.total_seconds()) * 1000:
            raise RejectedRecordError(
                Reason.INVALID_TIMESTAMP, f"{column} {shown(value)} is more than max_future_time ahead", column
            )
        return at_milliseconds

    def _last_followed_at(self, record: Mapping[str, Any]) -> int:
        """Return the time; `UNDATED` if it cannot be used, because an unfollow counts in any case."""
        try:
            return self._time(record, "last_followed_at")
        except RejectedRecordError:
            return UNDATED

    def _channel_of(self, record: Mapping[str, Any]) -> str:
        channel = record.get("channel")
        if channel is None or (isinstance(channel, str) and not channel.strip()):
            return self.channel
        number = whole_number(channel)
        name = channel.strip() if isinstance(channel, str) else None if number is None else str(number)
        if name is None or problem_of(name):
            raise RejectedRecordError(Reason.INVALID_RECORD, f"channel {shown(channel)} is not a name", "channel")
        return name

    def _with_opt_outs(self, nested: dict[str, Any], columns: dict[str, Any]) -> dict[str, Any]:
        """Return the attributes. Opt-outs have the spelling of the setting, and those that say nothing are left out.

        A column counts before the same key of the column `attributes`; of several opt-outs, the one that counts of
        several records of the same time.
        """
        attributes = {**nested, **columns} if nested else columns
        spelling_of = spellings_in(tuple(attributes), self.opt_out_attributes)
        said: dict[str, Any] = {}
        for name, spelling in spelling_of.items():
            values = (attributes.pop(name), nested[name]) if name in nested else (attributes.pop(name),)
            for value in values:
                if consent_of(value) is None:
                    continue
                if spelling in said:
                    known = DatedValue(UNDATED, said[spelling])
                    value = known.newer(DatedValue(UNDATED, value)).value  # noqa: PLW2901 - the one that counts
                said[spelling] = value
        attributes.update(said)
        return attributes

    def _unlinks(self, record: Mapping[str, Any], identifiers: tuple[Identifier, ...], at: int) -> tuple[Unlink, ...]:
        if self.null_identifiers is _IGNORE or at == UNDATED:
            return ()
        strongest = min(identifiers, key=self.rank)
        return tuple(
            Unlink(strongest, kind, self.identifiers.provider if kind is IdentifierKind.LINE_ID else "", at)
            for kind in (IdentifierKind.EMAIL, IdentifierKind.LINE_ID)
            if kind is not strongest.kind and kind.value in record and _is_blank(record[kind.value])
        )


def _are_settled(spelling_of: Mapping[str, str], attributes: Mapping[str, Any]) -> bool:
    """Return whether every opt-out has the spelling of the setting and says yes or no, as nearly all do."""
    return all(name == spelling and consent_of(attributes[name]) is not None for name, spelling in spelling_of.items())


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _check_attributes(nested: dict[str, Any], columns: dict[str, Any]) -> None:
    """Check the attributes in the column `attributes` of a record, and those in the other columns.

    Raises:
        RejectedRecordError: An attribute cannot be stored.
    """
    for attributes in (nested, columns) if nested else (columns,):
        if problem := problem_of(attributes):
            name = next(name for name, value in attributes.items() if problem_of({name: value}))
            raise RejectedRecordError(Reason.INVALID_ATTRIBUTES, f"attribute {shown(name)} {problem}")


def _nested_attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    nested = record.get("attributes")
    if isinstance(nested, str):
        try:
            nested = json.loads(nested) if nested.strip() else None
        except (ValueError, RecursionError):
            detail = "the attributes column is not JSON text"
            raise RejectedRecordError(Reason.INVALID_ATTRIBUTES, detail, "attributes") from None
    if nested is None:
        return {}
    if not isinstance(nested, dict):
        raise RejectedRecordError(Reason.INVALID_ATTRIBUTES, "the attributes column is not an object", "attributes")
    return nested
