"""Parsing of records into identity evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.follow_state import FollowState
from line_core.identity.model import UNDATED, Claim, DatedValue, Follow, Identifier, IdentifierKind, Unlink
from target_line.identity.identifiers import IdentifierReader
from target_line.identity.placeholders import Placeholders
from target_line.identity.records import FOLLOW_COLUMNS, PROFILE_COLUMNS, EvidenceParser, NullIdentifiers
from target_line.intake.roles import Role
from target_line.intake.times import milliseconds
from target_line.reasons import Reason, RejectedRecordError
from tests.support.people import evidence_parser, line_id

NEW_YEAR = 1767225600000
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


PARSER = evidence_parser(identifiers=IdentifierReader("default", Placeholders()))


def claim_of(record: dict[str, Any], **settings: Any) -> Claim:
    claim = replace(PARSER, **settings).parse_profile(record).records[0]
    assert isinstance(claim, Claim)
    return claim


def follow_of(role: Role, record: dict[str, Any], **settings: Any) -> Follow:
    (follow,) = evidence_parser(**settings).parse_follow({"line_id": line_id(1), **record}, role).records
    assert isinstance(follow, Follow)
    return follow


def values_of(claim: Claim) -> dict[str, Any]:
    return {name: dated.value for name, dated in claim.attributes.items()}


def email(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, "", value)


def customer(value: str) -> Identifier:
    return Identifier(IdentifierKind.ID, "", value)


def test_attributes_are_all_other_columns_and_the_keys_of_the_column_attributes() -> None:
    record = {"id": "a", "plan": "gold", "attributes": '{"city": "Osaka", "plan": "free"}', "tier": None}
    assert values_of(claim_of(record)) == {"plan": "gold", "city": "Osaka", "tier": None}


@pytest.mark.parametrize(
    ("updated_at", "zone", "at"),
    [
        ("2026-01-01T00:00:00Z", "Asia/Tokyo", NEW_YEAR),
        ("2026-01-01 09:00:00", "Asia/Tokyo", NEW_YEAR),
        ("2026-01-01", "UTC", NEW_YEAR),
        (NEW_YEAR, "Asia/Tokyo", NEW_YEAR),
        (str(NEW_YEAR // 1000), "Asia/Tokyo", NEW_YEAR),
        ("1969-12-31T23:59:59Z", "UTC", -1000),
        (None, "UTC", UNDATED),
        ("  ", "UTC", UNDATED),
    ],
)
def test_every_time_of_evidence_is_read_in_the_setting_time_zone(updated_at: object, zone: str, at: int) -> None:
    settings = {"time_zone": ZoneInfo(zone)}
    assert claim_of({"id": "a", "updated_at": updated_at}, **settings).last_at == at
    assert claim_of({"id": "a", "observed_at": updated_at}, **settings).last_at == at
    assert follow_of(Role.FOLLOWS, {"type": "follow", "occurred_at": updated_at}, **settings).at == at
    assert follow_of(Role.FOLLOWERS, {"observed_at": updated_at}, **settings).at == at
    assert follow_of(Role.FRIENDSHIPS, {"follow_state": "unfollowed", "updated_at": updated_at}, **settings).at == at


def test_updated_at_counts_before_observed_at_and_neither_is_an_attribute() -> None:
    claim = claim_of({"id": "a", "updated_at": NEW_YEAR, "observed_at": "2026-02-02", "linked_at": None})
    assert (claim.last_at, claim.attributes) == (NEW_YEAR, {})


def test_linked_at_is_the_time_of_the_link_to_the_line_id() -> None:
    claim = claim_of({"id": "a", "line_id": line_id(1), "updated_at": "2026-02-02", "linked_at": NEW_YEAR})
    assert claim.linked() == (NEW_YEAR, NEW_YEAR)
    assert claim_of({"id": "a", "line_id": line_id(1), "updated_at": NEW_YEAR}).linked() == (NEW_YEAR, NEW_YEAR)


@pytest.mark.parametrize("column", ["updated_at", "observed_at", "linked_at"])
def test_a_time_further_ahead_than_max_future_time_is_rejected(column: str) -> None:
    settings = {"clock": NOON.timestamp, "max_future_time": timedelta(days=1)}
    assert claim_of({"id": "a", column: "2026-06-02T12:00:00Z"}, **settings).identifiers
    for late in ("2026-06-02T12:00:01Z", "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59Z"):
        with pytest.raises(RejectedRecordError) as caught:
            claim_of({"id": "a", column: late}, **settings)
        assert (caught.value.reason, caught.value.column) == (Reason.INVALID_TIMESTAMP, column)


def test_an_unfollow_of_the_future_is_rejected() -> None:
    with pytest.raises(RejectedRecordError):
        follow_of(Role.FOLLOWS, {"type": "unfollow", "occurred_at": "2999-01-01"}, clock=NOON.timestamp)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, Reason.NO_IDENTIFIER),
        ({"id": " ", "email": None, "line_id": "\u200b"}, Reason.NO_IDENTIFIER),
        ({"id": True}, Reason.INVALID_ID),
        ({"id": 1.5}, Reason.INVALID_ID),
        ({"id": 9007199254740992.0}, Reason.INVALID_ID),
        ({"id": ["a"]}, Reason.INVALID_ID),
        ({"id": "a\u0000b"}, Reason.INVALID_ID),
        ({"id": "a\ud800"}, Reason.INVALID_ID),
        ({"id": "a" * 513}, Reason.INVALID_ID),
        ({"email": "aoi@"}, Reason.INVALID_EMAIL),
        ({"email": "a@b@c"}, Reason.INVALID_EMAIL),
        ({"email": "a b@c"}, Reason.INVALID_EMAIL),
        ({"email": "a\ud800@example.com"}, Reason.INVALID_EMAIL),
        ({"email": 7}, Reason.INVALID_EMAIL),
        ({"line_id": "U123"}, Reason.INVALID_LINE_ID),
        ({"line_id": line_id(1).replace("U", "C")}, Reason.INVALID_LINE_ID),
        ({"line_id": 7}, Reason.INVALID_LINE_ID),
        ({"line_id": "null"}, Reason.JUNK_IDENTIFIER),
        ({"id": "a", "updated_at": "yesterday"}, Reason.INVALID_TIMESTAMP),
        ({"id": "a", "updated_at": 17}, Reason.INVALID_TIMESTAMP),
        ({"id": "a", "updated_at": "0001-01-01T00:00:00+14:00"}, Reason.INVALID_TIMESTAMP),
        ({"id": "a", "attributes": "{"}, Reason.INVALID_ATTRIBUTES),
        ({"id": "a", "attributes": "[" * 100_000}, Reason.INVALID_ATTRIBUTES),
        ({"id": "a", "attributes": [1]}, Reason.INVALID_ATTRIBUTES),
        ({"id": "a", "attributes": '{"name": "\\ud83d"}'}, Reason.INVALID_ATTRIBUTES),
        ({"id": "a", "Updated_at": "2026-01-01", "UPDATED_AT": "2026-01-02"}, Reason.INVALID_RECORD),
    ],
)
def test_an_invalid_profile_record_is_rejected_with_a_reason(record: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        claim_of(record)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("email", "n/a", Reason.JUNK_IDENTIFIER),
        ("email", "null@null.com", Reason.JUNK_IDENTIFIER),
        ("email", "not an email", Reason.INVALID_EMAIL),
        ("line_id", "U-unknown", Reason.INVALID_LINE_ID),
        ("id", 0, Reason.JUNK_IDENTIFIER),
        ("id", 1e300, Reason.INVALID_ID),
    ],
)
def test_a_placeholder_or_malformed_identifier_is_removed_and_the_rest_of_the_record_counts(
    column: str, value: object, reason: Reason
) -> None:
    good = {"id": "c-1", "email": "aoi@example.com", "line_id": line_id(1), "name": "Aoi"}
    parsed = PARSER.parse_profile({**good, column: value})
    (claim,) = parsed.records
    assert isinstance(claim, Claim)
    assert {name.kind.value for name in claim.identifiers} == {"id", "email", "line_id"} - {column}
    assert values_of(claim) == {"name": "Aoi"}
    assert [(removed.column, removed.reason) for removed in parsed.notices] == [(column, reason)]


class Erased(set[Identifier]):
    """Identifiers that were erased."""

    def __bool__(self) -> bool:
        return len(self) > 0


def erasing_parser(*erased: Identifier) -> EvidenceParser:
    return evidence_parser(identifiers=IdentifierReader("default", None, Erased(erased)))


def test_an_erased_identifier_is_removed_from_a_record_of_another_person() -> None:
    parsed = erasing_parser(email("family@example.com")).parse_profile({"id": "c-1", "email": "Family@example.com"})
    (claim,) = parsed.records
    assert isinstance(claim, Claim)
    assert claim.identifiers == (customer("c-1"),)
    (notice,) = parsed.notices
    assert notice.reason is Reason.FORGOTTEN
    assert "family" not in notice.detail


@pytest.mark.parametrize("record", [{"id": "c-2", "email": "aoi@example.com"}, {"id": "c-2"}])
def test_a_record_whose_strongest_identifier_was_erased_is_rejected(record: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        erasing_parser(customer("c-2")).parse_profile(record)
    assert caught.value.reason is Reason.FORGOTTEN
    assert "c-2" not in caught.value.detail


def test_column_names_are_found_in_any_case_if_that_is_unambiguous() -> None:
    claim = claim_of({"ID": 7, "Email": "A@Example.com", "LINE_ID": line_id(1), "UPDATED_AT": NEW_YEAR, "PLAN": "gold"})
    assert [name.value for name in claim.identifiers] == ["7", "a@example.com", line_id(1)]
    assert (claim.last_at, values_of(claim)) == (NEW_YEAR, {"PLAN": "gold"})
    assert values_of(claim_of({"id": "a", "ID": "b"})) == {"ID": "b"}
    follow = follow_of(Role.FOLLOWS, {"TYPE": "Follow", "OCCURRED_AT": NEW_YEAR})
    assert (follow.at, follow.state) == (NEW_YEAR, FollowState.FOLLOWING)


@pytest.mark.parametrize(
    ("record", "attributes"),
    [
        ({"UNSUBSCRIBED": True}, {"unsubscribed": True}),
        ({"attributes": {"Unsubscribed": "yes"}}, {"unsubscribed": "yes"}),
        ({"ATTRIBUTES": '{"UNSUBSCRIBED": 1}'}, {"unsubscribed": 1}),
        ({"unsubscribed": False}, {"unsubscribed": False}),
        ({"unsubscribed": None}, {}),
        ({"unsubscribed": "  "}, {}),
        ({"unsubscribed": []}, {}),
        ({"unsubscribed": False, "UNSUBSCRIBED": "y"}, {"unsubscribed": "y"}),
        ({"unsubscribed": "y", "attributes": {"UNSUBSCRIBED": False}}, {"unsubscribed": "y"}),
        ({"unsubscribed": None, "attributes": {"unsubscribed": True}}, {"unsubscribed": True}),
    ],
)
def test_an_opt_out_is_found_in_any_case_and_what_says_nothing_is_dropped(
    record: dict[str, Any], attributes: dict[str, Any]
) -> None:
    assert values_of(claim_of({"id": "a", **record})) == attributes


@pytest.mark.parametrize(
    ("record", "opt_out"),
    [
        ({"id": "a", "email": "bad@", "updated_at": "never"}, {customer("a"): UNDATED}),
        ({"id": "a", "email": "b@c", "updated_at": "9999-12-31"}, {customer("a"): UNDATED, email("b@c"): UNDATED}),
        ({"id": "a", "attributes": 7, "updated_at": NEW_YEAR}, {customer("a"): NEW_YEAR}),
        ({"id": "a", "attributes": {"x": "\ud800"}, "updated_at": NEW_YEAR}, {customer("a"): NEW_YEAR}),
        ({"ID": "a", "Email": "b@c", "EMAIL": "d@e", "updated_at": NEW_YEAR}, {customer("a"): NEW_YEAR}),
        ({"id": "null", "updated_at": NEW_YEAR}, {}),
        ({"name": "Aoi"}, {}),
    ],
)
def test_a_rejected_record_still_opts_out_its_valid_identifiers(
    record: dict[str, Any], opt_out: dict[Identifier, int]
) -> None:
    refused = PARSER.refused_opt_out({**record, "UNSUBSCRIBED": "yes"})
    found = refused.attributes["unsubscribed"] if refused else None
    assert found == (DatedValue(next(iter(opt_out.values())), "yes") if opt_out else None)
    assert set(refused.identifiers if refused else ()) == set(opt_out)


def test_a_rejected_no_without_a_usable_time_does_not_count() -> None:
    record = {"id": "a", "unsubscribed": False}
    assert evidence_parser().refused_opt_out({**record, "updated_at": "never"}) is None
    refused = evidence_parser().refused_opt_out({**record, "updated_at": NEW_YEAR})
    assert refused is not None
    assert refused.attributes == {"unsubscribed": DatedValue(NEW_YEAR, False)}


def test_null_identifiers_end_links_only_where_the_setting_says_so() -> None:
    record = {"id": "a", "email": None, "line_id": " ", "updated_at": NEW_YEAR}
    assert len(evidence_parser().parse_profile(record).records) == 1
    clearing = replace(PARSER, null_identifiers=NullIdentifiers.CLEAR)
    assert clearing.parse_profile(record).records[1:] == (
        Unlink(customer("a"), IdentifierKind.EMAIL, "", NEW_YEAR),
        Unlink(customer("a"), IdentifierKind.LINE_ID, "default", NEW_YEAR),
    )
    assert len(clearing.parse_profile({"id": "a", "email": "n/a", "updated_at": NEW_YEAR}).records) == 1
    assert len(clearing.parse_profile({"id": "a", "line_id": None}).records) == 1


@pytest.mark.parametrize(
    ("role", "record", "state"),
    [
        (Role.FOLLOWS, {"type": "follow"}, FollowState.FOLLOWING),
        (Role.FOLLOWS, {"type": "unfollow"}, FollowState.UNFOLLOWED),
        (Role.FRIENDSHIPS, {"follow_state": "unfollowed"}, FollowState.UNFOLLOWED),
        (Role.FRIENDSHIPS, {"follow_state": "unknown"}, FollowState.UNKNOWN),
        (Role.FOLLOWERS, {}, FollowState.FOLLOWING),
        (Role.FOLLOWERS, {"follow_state": None}, FollowState.FOLLOWING),
    ],
)
def test_the_column_of_the_follow_state_depends_on_the_role(
    role: Role,
    record: dict[str, Any],
    state: FollowState,
) -> None:
    assert follow_of(role, record).state is state


@pytest.mark.parametrize("role", [Role.FOLLOWS, Role.FOLLOWERS, Role.FRIENDSHIPS])
def test_a_follow_state_belongs_to_the_channel_of_its_record_or_of_the_run(role: Role) -> None:
    state = {"type": "follow", "follow_state": "following"}
    assert follow_of(role, {**state, "channel": "shop "}, channel="main").channel == "shop"
    for nothing in ({}, {"channel": None}, {"channel": ""}):
        assert follow_of(role, {**state, **nothing}, channel="main").channel == "main"
    with pytest.raises(RejectedRecordError):
        follow_of(role, {**state, "channel": 7.5})
    assert follow_of(role, {**state, "channel": 2000000001}).channel == "2000000001"


def test_a_friendship_keeps_the_last_follow_of_a_person_who_left() -> None:
    record = {"follow_state": "unfollowed", "updated_at": "2026-02-02", "last_followed_at": NEW_YEAR}
    assert follow_of(Role.FRIENDSHIPS, record).followed_at == NEW_YEAR
    assert follow_of(Role.FRIENDSHIPS, {**record, "last_followed_at": "never"}).followed_at == UNDATED


@pytest.mark.parametrize(
    ("role", "record"),
    [(Role.FOLLOWS, {}), (Role.FOLLOWS, {"type": "join"}), (Role.FRIENDSHIPS, {"follow_state": 1})],
)
def test_a_follow_record_without_a_known_state_is_rejected(role: Role, record: dict[str, Any]) -> None:
    with pytest.raises(RejectedRecordError) as caught:
        follow_of(role, record)
    assert caught.value.reason is Reason.INVALID_FOLLOW_STATE


def test_a_follow_record_without_a_line_id_is_rejected() -> None:
    with pytest.raises(RejectedRecordError) as caught:
        evidence_parser().parse_follow({"type": "follow"}, Role.FOLLOWS)
    assert caught.value.reason is Reason.NO_IDENTIFIER


ANY_TEXT = (
    st.text(max_size=20)
    | st.characters(categories=["Cs", "Cf", "Cc"])
    | st.sampled_from(
        ["9999-12-31T23:59:59.999999", "0001-01-01T00:00:00+14:00", "a@b", "null", "{}", '{"\\ud800": 1}', line_id(1)]
    )
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.just(5000).map(lambda digits: 10**digits),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from([*PROFILE_COLUMNS, *FOLLOW_COLUMNS, "ID", "UNSUBSCRIBED", "x"]), ANY_JSON),
    st.sampled_from([Role.FOLLOWS, Role.FOLLOWERS, Role.FRIENDSHIPS]),
)
def test_any_record_is_parsed_or_rejected(record: dict[str, Any], role: Role) -> None:
    parser = replace(PARSER, null_identifiers=NullIdentifiers.CLEAR, time_zone=ZoneInfo("America/New_York"))
    for parse in (parser.parse_profile, lambda each: parser.parse_follow(each, role)):
        try:
            parse(record)
        except RejectedRecordError as error:
            json.dumps(error.detail)
    parser.refused_opt_out(record)


@given(st.datetimes(datetime(1, 1, 2), datetime(2026, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_every_time_of_the_calendar_is_kept_to_the_millisecond(time: datetime) -> None:
    assert claim_of({"id": "a", "updated_at": time.isoformat()}).last_at == milliseconds(time)


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["", " ", "no", "Yes", "0"]), st.just([])),
    st.dictionaries(st.sampled_from(["name", "plan", "tier"]), st.one_of(st.none(), st.text("aé"), st.integers())),
)
def test_an_opt_out_counts_equally_in_every_spelling_and_in_the_column_attributes(
    opt_out: object, others: dict[str, Any]
) -> None:
    expected, *same = (
        values_of(claim_of({"id": "a", **others, **columns}, opt_out_attributes=("unsubscribed",)))
        for columns in (
            {"unsubscribed": opt_out},
            {"UNSUBSCRIBED": opt_out},
            {"attributes": {"unsubscribed": opt_out}},
        )
    )
    assert same == [expected, expected]
