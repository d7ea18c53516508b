"""Checks of messages when they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.early_check import check_early
from target_line.sending.read.message import parse_message
from tests.support.people import line_id

if TYPE_CHECKING:
    from tests.support.target_program import TargetProgram

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = "2099-01-01T00:00:00Z"


def picture(url: str, preview: str = "https://example.com/p.jpg") -> dict[str, Any]:
    return {"messages": {"type": "image", "originalContentUrl": url, "previewImageUrl": preview}}


def picker(**times: str) -> dict[str, Any]:
    action = {"type": "datetimepicker", "label": "When", "data": "d", "mode": "date", **times}
    buttons = {"type": "buttons", "text": "When?", "actions": [action]}
    return {"messages": {"type": "template", "altText": "When?", "template": buttons}}


def check(**columns: Any) -> RejectedRecordError | None:
    record = {"message_id": "m", "line_id": line_id(1), "send_at": LATER, **columns}
    try:
        check_early(parse_message(record, "default"), NOW)
    except RejectedRecordError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("columns", "reason", "detail"),
    [
        ({"text": "Hi {{ name"}, Reason.TEMPLATE_ERROR, "messages[0].text"),
        ({"text": "{% if name %}Hi"}, Reason.TEMPLATE_ERROR, "messages[0].text"),
        ({"text": "{{ name | no_such_filter_tag }}{% nothing %}"}, Reason.TEMPLATE_ERROR, "messages[0].text"),
        (picture("http://example.com/p.jpg"), Reason.INVALID_MESSAGE, "originalContentUrl"),
        (picker(initial="2026-02-30"), Reason.INVALID_MESSAGE, "initial"),
        ({"text": "x", "expires_at": LATER}, Reason.INVALID_TIMESTAMP, "expires_at"),
        ({"text": "x", "send_at": "2020-01-02", "expires_at": "2019-01-01"}, Reason.INVALID_TIMESTAMP, "expires_at"),
    ],
)
def test_what_can_never_be_sent_is_rejected_when_it_is_read(
    columns: dict[str, Any], reason: Reason, detail: str
) -> None:
    error = check(**columns)
    assert error
    assert error.reason is reason
    assert detail in error.detail


@pytest.mark.parametrize(
    "columns",
    [
        {"text": "Hi {{ profile.name }} {{ variables.x }}"},
        picture("{{ variables.url }}"),
        picture("https://example.com/{{ id }}.jpg"),
        picker(initial="{{ variables.day }}", max="2026-12-31", min="2026-01-01"),
        picker(initial="2026-06-01", max="{{ variables.day }}", min="2026-01-01"),
        {"text": "x", "send_at": "2099-01-01", "expires_at": "2099-01-01"},
        {"messages": {"type": "hologram"}},
        {"text": "Hi {{ name", "send_at": "2020-01-01"},
    ],
)
def test_what_a_profile_or_variable_can_make_valid_is_accepted_and_so_is_what_is_checked_today(
    columns: dict[str, Any],
) -> None:
    assert check(**columns) is None


def test_rejects_of_later_messages_and_recipients_that_nobody_has_are_listed(sqlite_target: TargetProgram) -> None:
    log = sqlite_target.run(
        ("messages", {"message_id": "m", "id": "c-1", "text": "{{ x", "send_at": LATER}),
        ("messages", {"message_id": "who", "id": "c-404", "text": "x"}),
        ("messages", {"message_id": "who-2", "email": "nobody@example.org", "text": "x"}),
    )
    assert "messages: 3 records: rejected (template_error) 1, skipped (unknown_recipient) 2" in log
    assert "c-404" not in log
    assert {name: (row["recipient_column"], row["recipient"]) for name, row in sqlite_target.ledger().items()} == {
        "who": ("id", "c-404"),
        "who-2": ("email", "nobody@example.org"),
    }


def test_the_hash_of_a_plan_is_shown_whole(sqlite_target: TargetProgram) -> None:
    log = sqlite_target.run(("messages", {"message_id": "m", "line_id": line_id(1), "text": "x"}), mode="plan")
    approve = log.split("approve ")[1][:64]
    assert approve in sqlite_target.admin("plans")
