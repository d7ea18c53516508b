"""Parsing of records into identity evidence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.follow_state import FollowState
from line_core.identity.model import UNDATED, Claim, DatedValue, Follow
from target_line.identity.identifiers import identifiers_of, line_id_of
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_IDENTITY_COLUMNS = frozenset({"id", "email", "line_id", "updated_at", "attributes"})
"""Columns of a `profiles` record that are not attributes."""

_STATES = {state.value: state for state in FollowState}
_FOLLOW_COLUMNS = {
    Role.FOLLOWS: ("type", {"follow": FollowState.FOLLOWING, "unfollow": FollowState.UNFOLLOWED}, "occurred_at"),
    Role.FOLLOWERS: ("follow_state", _STATES, "observed_at"),
    Role.FRIENDSHIPS: ("follow_state", _STATES, "updated_at"),
}


def parse_profile(record: Mapping[str, Any], provider: str, junk: Collection[str] = ()) -> Claim:
    """Parse a `profiles` record.

    Args:
        record: At least one of `id`, `email` and `line_id`; `updated_at` (ISO 8601, UTC if it has no zone). Every
            other column is an attribute, and every key of the column `attributes` (an object, or its JSON text).
        provider: Provider that issued the LINE ID.
        junk: Ids and emails that identify nobody, in lower case.

    Raises:
        RejectedRecordError: The record has no identifier, or a value is invalid.
    """
    identifiers = identifiers_of(record, provider)
    for identifier in identifiers:
        if identifier.value.casefold() in junk:
            raise RejectedRecordError(
                Reason.JUNK_IDENTIFIER, f"{identifier.kind} {identifier.value!r} is one of junk_identifiers"
            )
    if not identifiers:
        raise RejectedRecordError(Reason.NO_IDENTIFIER, "none of id, email and line_id has a value")
    at = _milliseconds(record.get("updated_at"), "updated_at")
    attributes = {key: DatedValue(at, value) for key, value in _attributes(record).items()}
    return Claim(identifiers, at, at, attributes)


def parse_follow(record: Mapping[str, Any], provider: str, role: Role, channel: str = "main") -> Follow:
    """Parse a record of a stream of follow states, as tap-line emits them.

    Args:
        record: `line_id`, and by role: `follows`: `type` (follow or unfollow) and `occurred_at`; `friendships`:
            `follow_state` and `updated_at`; `followers`: `observed_at`, and `follow_state` if it is not `following`.
        provider: Provider that issued the LINE ID.
        role: Role of the stream: follows, followers or friendships.
        channel: Name of the channel of records without the column `channel`.

    Raises:
        RejectedRecordError: The record has no LINE ID, or a value is invalid.
    """
    line_id = line_id_of(record.get("line_id"), provider)
    if line_id is None:
        raise RejectedRecordError(Reason.NO_IDENTIFIER, "line_id has no value")
    state_column, states, time_column = _FOLLOW_COLUMNS[role]
    value = record.get(state_column, FollowState.FOLLOWING if role is Role.FOLLOWERS else None)
    state = states.get(value) if isinstance(value, str) else None
    if state is None:
        raise RejectedRecordError(
            Reason.INVALID_FOLLOW_STATE, f"{state_column} {value!r} is not one of {', '.join(states)}"
        )
    at = _milliseconds(record.get(time_column), time_column)
    followed_at = at if state is FollowState.FOLLOWING else UNDATED
    return Follow(line_id, state, at, followed_at, str(record.get("channel") or channel))


def _milliseconds(value: object, column: str) -> int:
    """Return an ISO 8601 date-time as milliseconds since 1970 UTC, `UNDATED` if there is no value."""
    if value is None or value == "":
        return UNDATED
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)  # type: ignore[arg-type] # TypeError is caught
    except (TypeError, ValueError):
        raise RejectedRecordError(
            Reason.INVALID_TIMESTAMP,
            f"{column} {value!r} is not an ISO 8601 date-time",
        ) from None
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    nested = record.get("attributes")
    if isinstance(nested, str):
        try:
            nested = json.loads(nested)
        except ValueError:
            raise RejectedRecordError(Reason.INVALID_ATTRIBUTES, "the attributes column is not JSON text") from None
    if nested is not None and not isinstance(nested, dict):
        raise RejectedRecordError(Reason.INVALID_ATTRIBUTES, "the attributes column is not an object")
    columns = {key: value for key, value in record.items() if key not in _IDENTITY_COLUMNS}
    return {**(nested or {}), **columns}
