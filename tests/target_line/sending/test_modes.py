"""Run modes and safety settings: plan, validate, test recipients, expected account, limits."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support import programs
from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path

Record = tuple[str, dict[str, Any]]
MULTICAST = "POST /v2/bot/message/multicast"
PUSH = "POST /v2/bot/message/push"


def messages(line_ids: list[str], **columns: Any) -> list[Record]:
    """Return one message with the same text for each LINE ID; `columns` are added to each record."""
    return [
        ("messages", {"message_id": f"m{number}", "line_id": line_id, "text": "hello", **columns})
        for number, line_id in enumerate(line_ids)
    ]


def test_mode_plan_sends_nothing_and_only_an_approved_plan_is_sent(target: TargetProgram) -> None:
    line_ids = target.line_ids(5)
    log = target.run(*messages(line_ids), ("messages", {"message_id": "x", "id": "nobody", "text": "x"}), mode="plan")
    assert "plan: 5 messages in 1 requests: 5 by multicast in 1" in log
    assert "plan: not sent: skipped (unknown_recipient) 1" in log
    assert "messages: 6 records: draft 6" in log
    assert target.deliveries() == []
    (approve,) = re.findall("approve ([0-9a-f]{64})", log)
    (kept,) = map(json.loads, target.admin("plans", "--format", "jsonl").splitlines())
    assert kept["plan_hash"] == kept["summary"]["plan"] == approve
    assert [example["method"] for example in kept["summary"]["examples"]] == ["multicast"]

    one_more = messages(line_ids[:1], message_id="one more")
    log = target.run(*messages(line_ids), *one_more, approve=approve, expect=1)
    assert "setting: approve" in log
    assert target.deliveries() == []

    (approve,) = re.findall("approve ([0-9a-f]{64})", target.run(mode="plan"))
    target.run(approve=approve)
    assert len(target.deliveries()) == 6
    assert [run["mode"] for run in map(json.loads, target.admin("runs", "--format", "jsonl").splitlines())] == [
        "plan",
        "send",
        "plan",
        "send",
    ]


def test_mode_validate_rejects_content_that_line_rejects(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(3)
    sqlite_target.add_fault("status", path="/v2/bot/message/validate/push", status=400, count=1)
    log = sqlite_target.run(
        *messages(line_ids[:2]), *messages(line_ids[2:], message_id="alone", text="bye"), mode="validate"
    )
    assert "LINE would accept 2 messages and reject 1" in log
    assert sqlite_target.deliveries() == []
    assert sqlite_target.request_counts("POST /v2/bot/message/validate/multicast") == {"200": 1}
    assert "messages: 3 records: draft 2, rejected (refused_by_line) 1" in log
    assert "an example of refused_by_line is message alone" in log
    assert sqlite_target.ledger() == {}
    (reject,) = map(json.loads, sqlite_target.admin("rejects", "--format", "jsonl").splitlines())
    assert reject["record"]["message_id"] == "alone"


def test_unreadable_time_zones_and_unknown_types_are_counted_in_one_warning_each(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(4)
    people = [
        ("profiles", {"id": f"p{number}", "line_id": line_id, "time_zone": zone, "updated_at": "2026-01-01"})
        for number, (line_id, zone) in enumerate(zip(line_ids, ["Moon", "Mars", "asia/tokyo", None], strict=True))
    ]
    texts = [("messages", {"message_id": f"m{number}", "id": f"p{number}", "text": "x"}) for number in range(4)]
    holograms = [
        ("messages", {"message_id": f"h{number}", "id": f"p{number}", "messages": {"type": "hologram"}})
        for number in (2, 3)
    ]
    log = sqlite_target.run(*people, *texts, *holograms)
    assert len(re.findall("recipients of 2 messages is not a time zone", log)) == 1
    assert len(re.findall("2 messages, for example h2, have content of a type", log)) == 1
    assert "Moon" not in log
    statuses = Counter((row["status"], row["reason"]) for row in sqlite_target.ledger().values())
    assert statuses == {("accepted", None): 4, ("rejected", "refused_by_line"): 2}


def test_nothing_is_sent_with_the_token_of_another_account(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(1)
    log = sqlite_target.run(*messages(line_ids), expected_bot_user_id="U" + "0" * 32, expect=1)
    assert "setting: expected_bot_user_id" in log
    assert sqlite_target.deliveries() == []
    (own,) = set(re.findall("bot user id (U[0-9a-f]{32})", log))
    sqlite_target.run(expected_bot_user_id=own)
    assert len(sqlite_target.deliveries()) == 1


def test_test_recipients_get_each_content_once_instead_of_the_people(sqlite_target: TargetProgram) -> None:
    *people, tester = sqlite_target.line_ids(4)
    log = sqlite_target.run(
        *messages(people),
        ("messages", {"message_id": "b", "recipient": "everyone", "text": "b"}),
        test_recipients=[tester],
    )
    assert [(entry["line_id"], entry["messages"][0]["text"]) for entry in sqlite_target.deliveries()] == [
        (tester, text) for text in sorted(entry["messages"][0]["text"] for entry in sqlite_target.deliveries())
    ]
    assert len(sqlite_target.deliveries()) == 2
    assert "messages: 4 records: accepted (test_recipients) 2, skipped (test_recipients) 2" in log


def test_max_sends_per_run_leaves_messages_to_the_next_run(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(5)
    log = sqlite_target.run(*messages(line_ids), max_sends_per_run=2)
    assert "max_sends_per_run is reached; 3 messages stay scheduled" in log
    assert "messages: 5 records: accepted 2, scheduled 3" in log
    sqlite_target.run()
    assert Counter(entry["line_id"] for entry in sqlite_target.deliveries()) == Counter(line_ids)


def test_messages_above_the_quota_are_sent_next_month(sqlite_target: TargetProgram, tmp_path: Path) -> None:
    line_ids = sqlite_target.line_ids(5)
    with programs.serve("line-sandbox", "serve", "--port", "0", "--quota", "4", log=tmp_path / "sandbox.log") as url:
        limited = TargetProgram(url, sqlite_target.config_path, {**sqlite_target.config, "api_url": url})
        log = limited.run(*messages(line_ids), quota_reserve=1, expect=1)
        assert "the monthly quota of 4 messages, of which quota_reserve keeps 1 is used up; 2 stay scheduled" in log
        assert "setting: quota_reserve" in log
        assert "messages: 5 records: accepted 3, scheduled 2" in log
        limited.advance_clock(32 * 24 * 3600)
        limited.run()
        assert Counter(entry["line_id"] for entry in limited.deliveries()) == Counter(line_ids)


def test_a_quota_reserved_by_a_narrowcast_has_another_error_than_a_used_up_quota(
    sqlite_target: TargetProgram, tmp_path: Path
) -> None:
    with programs.serve(
        "line-sandbox", "serve", "--port", "0", "--quota", "1500", "--followers", "1000", log=tmp_path / "sandbox.log"
    ) as url:
        limited = TargetProgram(url, sqlite_target.config_path, {**sqlite_target.config, "api_url": url})
        line_ids = limited.line_ids(600)
        limited.run(("messages", {"message_id": "n", "recipient": {"limit": {"max": 1000}}, "text": "to many"}))
        log = limited.run(*messages(line_ids), expect=1)
        assert "a narrowcast or broadcast that is still running" in log
        limited.advance_clock(24 * 3600)
        log = limited.run(expect=1)
        assert "quota of 1,500 messages is used up" in log
    assert Counter(row["status"] for row in limited.ledger().values()) == {"accepted": 501, "scheduled": 100}


def test_the_frequency_cap_counts_planned_messages_across_pages(sqlite_target: TargetProgram) -> None:
    cap = {"messages": 3, "per": "7d"}
    (line_id,) = sqlite_target.line_ids(1)
    texts = [
        ("messages", {"message_id": f"m{number}", "line_id": line_id, "text": f"{number}"}) for number in range(5010)
    ]
    log = sqlite_target.run(*texts, mode="plan", frequency_cap=cap)
    assert "plan: 3 messages in 3 requests" in log
    assert "plan: not sent: skipped (frequency_cap) 5,007" in log
    (approve,) = re.findall("approve ([0-9a-f]{64})", log)
    sqlite_target.run(*texts, approve=approve, frequency_cap=cap)
    assert len(sqlite_target.deliveries()) == 3


def test_messages_above_the_frequency_cap_are_skipped(target: TargetProgram) -> None:
    one, other = target.line_ids(2)
    cap = {"messages": 2, "per": "7d"}
    records = [
        ("messages", {"message_id": f"{name}{number}", "line_id": line_id, "text": f"{number}"})
        for name, line_id, count in (("a", one, 3), ("b", other, 1))
        for number in range(count)
    ]
    target.run(*records, frequency_cap=cap)
    log = target.run(*messages([one, other], text="again"), frequency_cap=cap)
    assert "messages: 2 records: accepted 1, skipped (frequency_cap) 1" in log
    assert Counter(entry["line_id"] for entry in target.deliveries()) == {one: 2, other: 2}
    assert Counter(row["reason"] for row in target.ledger().values())["frequency_cap"] == 2


def test_quiet_hours_postpone_messages(sqlite_target: TargetProgram) -> None:
    (line_id,) = sqlite_target.line_ids(1)
    now = datetime.now(UTC)
    quiet = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    records: list[Record] = [
        ("profiles", {"id": "here", "line_id": line_id, "updated_at": "2026-01-01"}),
        ("messages", {"message_id": "m", "id": "here", "text": "psst"}),
    ]
    log = sqlite_target.run(*records, quiet_hours=quiet, time_zone="UTC")
    assert "messages: 1 records: scheduled (quiet_hours) 1" in log
    assert sqlite_target.deliveries() == []
    sqlite_target.run(quiet_hours=quiet, time_zone="UTC")
    assert sqlite_target.deliveries() == [], "it stays postponed in a run without input"


def test_people_who_opted_out_or_unfollowed_are_skipped(sqlite_target: TargetProgram) -> None:
    opted_out, left = sqlite_target.line_ids(2)
    log = sqlite_target.run(
        ("profiles", {"id": "a", "line_id": opted_out, "unsubscribed": True}),
        ("profiles", {"id": "b", "line_id": left, "unsubscribed": False}),
        ("follows", {"line_id": left, "type": "unfollow", "occurred_at": "2026-01-01T00:00:00Z"}),
        ("messages", {"message_id": "1", "id": "a", "text": "x"}),
        ("messages", {"message_id": "2", "id": "b", "text": "x"}),
    )
    assert "messages: 2 records: skipped (suppressed) 1, skipped (unfollowed) 1" in log
    assert sqlite_target.deliveries() == []


def test_broadcasts_narrowcasts_and_group_messages_are_sent(sqlite_target: TargetProgram) -> None:
    group = "C" + "1" * 32
    log = sqlite_target.run(
        ("messages", {"message_id": "e", "recipient": "everyone", "text": "all", "campaign": "spring"}),
        ("messages", {"message_id": "n", "recipient": '{"limit": {"max": 5}}', "text": "some"}),
        ("messages", {"message_id": "g", "group_id": group, "text": "group"}),
    )
    ledger = sqlite_target.ledger()
    assert {name: row["method"] for name, row in ledger.items()} == {"e": "broadcast", "n": "narrowcast", "g": "push"}
    assert ledger["e"]["status"] == ledger["n"]["status"] == "accepted"
    assert (ledger["g"]["status"], ledger["g"]["detail"]) == ("rejected", "Failed to send messages"), log
    assert ledger["e"]["request_id"]


def test_a_rejected_multicast_is_split_until_the_other_recipients_have_it(target: TargetProgram) -> None:
    line_ids = target.line_ids(8)
    target.add_fault("status", path="/v2/bot/message/multicast", status=400, count=3)
    target.run(*messages(line_ids))
    assert Counter(entry["line_id"] for entry in target.deliveries()) == Counter(line_ids)
    assert {row["status"] for row in target.ledger().values()} == {"accepted"}
    assert target.request_counts(MULTICAST)["400"] == 3


def test_a_campaign_above_the_monthly_maximum_of_units_is_rejected(
    sqlite_target: TargetProgram,
) -> None:
    (line_id,) = sqlite_target.line_ids(1)
    sqlite_target.run(
        *(
            ("messages", {"message_id": f"m{number}", "line_id": line_id, "text": "x", "campaign": f"c{number}"})
            for number in range(999)
        )
    )
    log = sqlite_target.run(
        *(
            ("messages", {"message_id": f"n{number}", "line_id": line_id, "text": "x", "campaign": f"d{number}"})
            for number in range(2)
        ),
        ("messages", {"message_id": "old", "line_id": line_id, "text": "x", "campaign": "c7"}),
    )
    assert "messages: 3 records: accepted 2, rejected (too_many_campaigns) 1" in log


def test_too_many_rejections_by_line_stop_the_run(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(1000)
    records = [
        record
        for place, line_id in enumerate(line_ids)
        for record in messages([line_id], text=f"{place}", message_id=f"m{place}")
    ]
    sqlite_target.add_fault("status", status=400, probability=0.5, seed=1)
    log = sqlite_target.run(*records, max_rejects="5%", max_requests_per_second=300, expect=1)
    assert "setting: max_rejects" in log
    statuses = Counter(row["status"] for row in sqlite_target.ledger().values())
    assert statuses["scheduled"] > 0
    assert statuses.keys() == {"accepted", "rejected", "scheduled"}
    assert statuses["accepted"] == len(sqlite_target.deliveries())


def test_a_deleted_or_cancelled_message_is_not_sent_in_any_order_of_the_streams(sqlite_target: TargetProgram) -> None:
    line_ids = sqlite_target.line_ids(6)
    rows = [
        {"message_id": f"m{number}", "line_id": line_id, "text": "hello", "campaign": f"c{number}"}
        for number, line_id in enumerate(line_ids)
    ]
    rows[1]["_sdc_deleted_at"] = "2026-01-01T00:00:00Z"
    rows[2]["cancelled"] = "true"
    log = sqlite_target.run(
        ("cancellations", {"message_id": "m3"}),
        ("cancellations", {"campaign": "c4"}),
        *(("messages", row) for row in rows),
        ("crm_messages", {"message_id": "m0", "line_id": line_ids[0], "text": "corrected"}),
    )
    assert "cancellations: 2 records: withdrew a message 2" in log
    assert "1 messages of cancelled campaigns were withdrawn" in log
    assert sorted(sqlite_target.ledger()) == [f"m{number}" for number in range(6)]
    assert {row["line_id"]: row["messages"][0]["text"] for row in sqlite_target.deliveries()} == {
        line_ids[0]: "corrected",
        line_ids[5]: "hello",
    }
    assert "0 of 1 messages are withdrawn" in sqlite_target.admin("cancel", "--message-id", "m0", expect=1)
    assert "1 of 1 messages are withdrawn" in sqlite_target.admin("cancel", "--message-id", "later")
    assert "rejected (already_sent_differently) 1" in sqlite_target.run(("messages", {**rows[0], "text": "again"}))
    sqlite_target.run(("messages", {"message_id": "later", "line_id": line_ids[0], "text": "x"}))
    assert len(sqlite_target.deliveries()) == 2
