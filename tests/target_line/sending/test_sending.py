"""`target-line` as a program against the sandbox: each message is delivered once, also after failures."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import programs
from tests.support.short_pauses import SHORT_PAUSES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.target_program import TargetProgram

Record = tuple[str, dict[str, Any]]


def message(message_id: str, line_id: str, text: str | None = None) -> Record:
    """Return a message with a unique text, which is sent by push, unless a text is given."""
    return "messages", {"message_id": message_id, "line_id": line_id, "text": text or f"hello {message_id}"}


def messages(line_ids: list[str]) -> list[Record]:
    return [message(f"m{number}", line_id) for number, line_id in enumerate(line_ids)]


def assert_delivered_once(target: TargetProgram, line_ids: list[str]) -> None:
    assert Counter(delivery["line_id"] for delivery in target.deliveries()) == Counter(line_ids)
    ledger = target.ledger()
    assert {row["status"] for row in ledger.values()} == {"accepted"}
    assert {row["retry_key"]: row["request_id"] for row in ledger.values()} == {
        delivery["retry_key"]: delivery["request_id"] for delivery in target.deliveries()
    }


def test_every_message_is_delivered_once_and_a_second_run_sends_nothing(target: TargetProgram) -> None:
    line_ids = target.line_ids(50)
    log = target.run(*messages(line_ids))
    assert "messages: 50 records: accepted 50" in log
    assert_delivered_once(target, line_ids)
    log = target.run(*messages(line_ids))
    assert "messages: 50 records: duplicate 50" in log
    assert_delivered_once(target, line_ids)


def test_a_stream_without_an_accepted_record_is_an_error_after_the_messages_are_sent(
    sqlite_target: TargetProgram,
) -> None:
    (line_id,) = sqlite_target.line_ids(1)
    rejected = ("crm-profiles", {"id": "c-1", "line_id": line_id, "updated_at": "yesterday"})
    log = sqlite_target.run(*messages([line_id]), rejected, rejected, expect=3)
    assert "stream 'crm-profiles': all 2 records were rejected: invalid_timestamp (updated_at) 2" in log
    assert "Traceback" not in log
    assert_delivered_once(sqlite_target, [line_id])
    opt_out = ("crm-profiles", {**rejected[1], "UNSUBSCRIBED": "Y"})
    sqlite_target.run(message("m2", line_id), opt_out, expect=3)
    assert sqlite_target.ledger()["m2"]["reason"] == "suppressed"


def test_a_message_goes_to_the_canonical_line_id_in_any_order_of_streams(target: TargetProgram) -> None:
    old, new = target.line_ids(2)
    target.run(
        ("messages", {"message_id": "m1", "email": "aoi@example.com", "text": "Hi {{ profile.name }}"}),
        ("messages", {"message_id": "m2", "line_id": old, "text": "old"}),
        ("follows", {"line_id": old, "type": "unfollow", "occurred_at": "2026-01-02T00:00:00Z"}),
        ("follows", {"line_id": new, "type": "follow", "occurred_at": "2026-01-02T00:00:00Z"}),
        (
            "profiles",
            {"id": "c-1", "email": "aoi@example.com", "line_id": old, "name": "Aoi", "updated_at": "2026-01-01"},
        ),
        ("profiles", {"id": "c-1", "line_id": new, "updated_at": "2026-01-03"}),
    )
    delivered = {(delivery["line_id"], delivery["messages"][0]["text"]) for delivery in target.deliveries()}
    assert delivered == {(new, "Hi Aoi"), (new, "old")}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "count": 5},
        {"kind": "status", "status": 429, "count": 5},
        {"kind": "drop_before", "count": 5},
        {"kind": "drop_after_accept", "count": 5},
        {"kind": "malformed", "count": 5},
    ],
    ids=lambda fault: str(fault["kind"]) + str(fault.get("status", "")),
)
def test_temporary_failures_lose_and_repeat_no_message(sqlite_target: TargetProgram, fault: dict[str, Any]) -> None:
    line_ids = sqlite_target.line_ids(20)
    sqlite_target.add_fault(**fault)
    sqlite_target.run(*messages(line_ids))
    assert_delivered_once(sqlite_target, line_ids)


def test_after_a_permanent_failure_the_next_run_sends_the_same_requests(target: TargetProgram) -> None:
    line_ids = target.line_ids(5)
    target.patches.update(SHORT_PAUSES)
    target.add_fault("drop_after_accept")
    log = target.run(*messages(line_ids), expect=1)
    assert "5 requests may or may not have arrived" in log
    assert "Traceback" not in log
    assert {row["status"] for row in target.ledger().values()} == {"claimed"}
    target.clear_faults()
    target.run()
    assert_delivered_once(target, line_ids)


def test_a_message_that_line_rejects_is_rejected_and_others_are_sent(
    sqlite_target: TargetProgram,
) -> None:
    good, *_ = sqlite_target.line_ids(1)
    image = {"type": "image", "originalContentUrl": "http://no.https/", "previewImageUrl": "https://x.example/p.png"}
    sqlite_target.run(
        message("good", good),
        ("messages", {"message_id": "bad", "line_id": good, "messages": [image]}),
        message("stranger", "U" + "0" * 32),
    )
    ledger = sqlite_target.ledger()
    assert ledger["good"]["status"] == "accepted"
    assert (ledger["bad"]["status"], ledger["bad"]["reason"]) == ("rejected", "invalid_message")
    assert "messages[0].originalContentUrl" in ledger["bad"]["detail"]
    assert ledger["stranger"]["detail"] == "Failed to send messages"


def test_an_invalid_token_stops_the_run_and_loses_no_message(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(3)
    log = sqlite_target.run(*messages(line_ids), expect=1, channel_access_token="hunter2-token")
    assert "setting: channel_access_token" in log
    assert "hunter2" not in log
    assert "Traceback" not in log
    assert {row["status"] for row in sqlite_target.ledger().values()} == {"scheduled"}
    sqlite_target.run()
    assert_delivered_once(sqlite_target, line_ids)


def test_an_unreachable_api_stops_the_run_and_loses_no_message(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(3)
    sqlite_target.patches.update(SHORT_PAUSES)
    log = sqlite_target.run(*messages(line_ids), expect=1, api_url="http://127.0.0.1:9")
    assert "setting: api_url" in log
    assert "Traceback" not in log
    assert {row["status"] for row in sqlite_target.ledger().values()} == {"scheduled"}
    sqlite_target.run()
    assert_delivered_once(sqlite_target, line_ids)


def test_tokens_can_be_issued_with_channel_id_and_secret(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(2)
    credentials: dict[str, Any] = {
        "channel_access_token": None,
        "channel_id": "1234567890",
        "channel_secret": "sandbox-secret",
    }
    sqlite_target.run(*messages(line_ids), **credentials)
    assert_delivered_once(sqlite_target, line_ids)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"channel_access_token": None}, "no credentials.*setting: channel_access_token"),
        ({"channel_access_token": None, "channel_secret": "hunter2"}, "setting: channel_id"),
        ({"channel_secret": 12345}, "channel_secret: must be of type"),
        ({"identifier_precedence": ["id", "id", "email"]}, "setting: identifier_precedence"),
        ({"store_url": "sqlite:////no/such/place/store.db"}, "setting: store_url"),
        ({"store_url": None}, "mode send needs the URL of the store.*setting: store_url"),
        ({"store_url": " "}, "mode send needs the URL of the store.*setting: store_url"),
        ({"stream_roles": {"messages": "letters"}}, "setting: stream_roles"),
        ({"max_rejects": 0}, "1 of 1 records were rejected, 0 are allowed"),
        ({"max_rejects": "5 percent"}, "setting: max_rejects"),
        ({"quiet_hours": "21:00-08:00"}, "setting: time_zone"),
        ({"quiet_hours": "night", "time_zone": "Asia/Tokyo"}, "setting: quiet_hours"),
        ({"time_zone": "Mars"}, "setting: time_zone"),
        ({"max_message_age": "long"}, "setting: max_message_age"),
        ({"frequency_cap": {"messages": 3, "per": "often"}}, "setting: frequency_cap"),
        ({"test_recipients": ["me"]}, "setting: test_recipients"),
    ],
)
def test_an_invalid_setting_is_one_error_line_with_its_name(
    sqlite_target: TargetProgram,
    settings: dict[str, Any],
    error: str,
) -> None:
    log = sqlite_target.run(message("m1", "U1"), expect=1, **settings)
    errors = [line for line in log.splitlines() if "ERROR" in line]
    assert len(errors) == 1
    assert re.search(error, errors[0])
    assert "Traceback" not in log
    assert not any(secret in log for secret in ("hunter2", "12345", "sandbox-token"))


def test_a_stream_without_a_role_is_an_error(sqlite_target: TargetProgram) -> None:
    log = sqlite_target.run(("orders", {"id": 1}), expect=1)
    assert "no role for stream 'orders'" in log
    assert "setting: stream_roles" in log


def test_messages_above_the_quota_stay_scheduled(sqlite_target: TargetProgram, tmp_path: Path) -> None:
    line_ids = sqlite_target.line_ids(5)
    with programs.serve("line-sandbox", "serve", "--port", "0", "--quota", "2", log=tmp_path / "sandbox.log") as url:
        log = sqlite_target.run(*messages(line_ids), expect=1, api_url=url)
    assert "the monthly quota of 2 messages is used up; 3 stay scheduled" in log
    assert Counter(row["status"] for row in sqlite_target.ledger().values()) == {"accepted": 2, "scheduled": 3}
