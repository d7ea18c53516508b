"""Parsing of records into identity evidence."""

from __future__ import annotations

from typing import Any

import pytest

from line_core.follow_state import FollowState
from line_core.identity.model import UNDATED, Identifier, IdentifierKind
from target_line.identity.records import parse_follow, parse_profile
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError
from tests.support.people import line_id


@pytest.mark.parametrize(
    ("value", "id_"),
    [("c-1", "c-1"), (" c-1 ", "c-1"), (7, "7"), (7.0, "7"), (10**30, str(10**30)), ("山田　太郎", "山田　太郎")],
)
def test_an_id_is_text_or_a_whole_number(value: object, id_: str) -> None:
    assert parse_profile({"id": value}, "default").identifiers == (Identifier(IdentifierKind.ID, "", id_),)


@pytest.mark.parametrize("email", ["Ann@Example.COM", "  ann@example.com\n", "\uff41nn@example.com"])
def test_an_email_is_normalized_in_case_width_and_surrounding_spaces(email: str) -> None:
    assert parse_profile({"email": email}, "default").identifiers == (
        Identifier(IdentifierKind.EMAIL, "", "ann@example.com"),
    )


def test_attributes_are_all_other_columns_and_the_keys_of_the_column_attributes() -> None:
    record = {"id": "a", "plan": "gold", "attributes": '{"city": "Osaka", "plan": "free"}', "tier": None}
    attributes = parse_profile(record, "default").attributes
    assert {name: dated.value for name, dated in attributes.items()} == {"plan": "gold", "city": "Osaka", "tier": None}


@pytest.mark.parametrize(
    "updated_at",
    ["2026-01-01T00:00:00Z", "2026-01-01T09:00:00+09:00", "2026-01-01T00:00:00", "2026-01-01 00:00:00"],
)
def test_times_without_a_zone_are_utc(updated_at: str) -> None:
    assert parse_profile({"id": "a", "updated_at": updated_at}, "default").last_at == 1767225600000


def test_a_record_without_a_time_is_undated() -> None:
    assert parse_profile({"id": "a"}, "default").last_at == UNDATED


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, Reason.NO_IDENTIFIER),
        ({"id": " ", "email": None, "line_id": ""}, Reason.NO_IDENTIFIER),
        ({"id": True}, Reason.INVALID_ID),
        ({"id": 1.5}, Reason.INVALID_ID),
        ({"id": ["a"]}, Reason.INVALID_ID),
        ({"id": "a\u0000b"}, Reason.INVALID_ID),
        ({"id": "a\ud800"}, Reason.INVALID_ID),
        ({"id": "a" * 513}, Reason.INVALID_ID),
        ({"email": "nobody"}, Reason.INVALID_EMAIL),
        ({"email": "a@b@c"}, Reason.INVALID_EMAIL),
        ({"email": "a b@c"}, Reason.INVALID_EMAIL),
        ({"email": 7}, Reason.INVALID_EMAIL),
        ({"line_id": "U123"}, Reason.INVALID_LINE_ID),
        ({"line_id": line_id(1) + "\n"}, Reason.INVALID_LINE_ID),
        ({"line_id": line_id(1).replace("U", "C")}, Reason.INVALID_LINE_ID),
        ({"line_id": 7}, Reason.INVALID_LINE_ID),
        ({"id": "a", "updated_at": "yesterday"}, Reason.INVALID_TIMESTAMP),
        ({"id": "a", "updated_at": 17}, Reason.INVALID_TIMESTAMP),
        ({"id": "a", "attributes": "{"}, Reason.INVALID_ATTRIBUTES),
        ({"id": "a", "attributes": [1]}, Reason.INVALID_ATTRIBUTES),
    ],
)
def test_an_invalid_profile_record_is_rejected_with_a_reason(record: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_profile(record, "default")
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("role", "record", "state"),
    [
        (Role.FOLLOWS, {"type": "follow"}, FollowState.FOLLOWING),
        (Role.FOLLOWS, {"type": "unfollow"}, FollowState.UNFOLLOWED),
        (Role.FRIENDSHIPS, {"follow_state": "unfollowed"}, FollowState.UNFOLLOWED),
        (Role.FRIENDSHIPS, {"follow_state": "unknown"}, FollowState.UNKNOWN),
        (Role.FOLLOWERS, {}, FollowState.FOLLOWING),
    ],
)
def test_the_column_of_the_follow_state_depends_on_the_role(
    role: Role,
    record: dict[str, Any],
    state: FollowState,
) -> None:
    assert parse_follow({"line_id": line_id(1), **record}, "default", role).state is state


@pytest.mark.parametrize(
    ("role", "record"),
    [(Role.FOLLOWS, {}), (Role.FOLLOWS, {"type": "join"}), (Role.FRIENDSHIPS, {"follow_state": 1})],
)
def test_a_follow_record_without_a_known_state_is_rejected(role: Role, record: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_follow({"line_id": line_id(1), **record}, "default", role)
    assert caught.value.reason is Reason.INVALID_FOLLOW_STATE


def test_a_follow_record_without_a_line_id_is_rejected() -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_follow({"type": "follow"}, "default", Role.FOLLOWS)
    assert caught.value.reason is Reason.NO_IDENTIFIER


def test_junk_identifiers_are_compared_without_case() -> None:
    with pytest.raises(RejectedRecordError) as caught:
        parse_profile({"id": "NULL", "line_id": line_id(1)}, "default", {"null"})
    assert caught.value.reason is Reason.JUNK_IDENTIFIER
