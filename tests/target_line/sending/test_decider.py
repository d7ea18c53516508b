"""The boundary around each message that is decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from target_line.identity.repository import IdentityRepository
from target_line.reasons import Reason
from target_line.sending.account import MonthlyUnits
from target_line.sending.decide import decider
from target_line.sending.decide.decider import MessageDecider
from target_line.sending.decide.decisions import Invalid, Send
from target_line.sending.decide.rules import decide_message
from target_line.sending.ledger import Cursor, DueMessage
from target_line.sending.policy import SendingPolicy
from target_line.sending.read.message import parse_message
from tests.support.people import line_id

if TYPE_CHECKING:
    import pytest

    from target_line.sending.decide.decisions import Decision
    from target_line.sending.read.message import Message


def test_an_unexpected_error_of_one_message_rejects_this_message(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def parse(record: dict[str, Any], *arguments: Any) -> Message:
        if record["message_id"] == "b":
            raise RecursionError("aoi@example.com")
        return parse_message(record, *arguments)

    def decide(message: Message, *arguments: Any, **options: Any) -> Decision:
        if message.message_id == "c":
            raise OverflowError("aoi@example.com")
        return decide_message(message, *arguments, **options)

    monkeypatch.setattr(decider, "parse_message", parse)
    monkeypatch.setattr(decider, "decide_message", decide)
    records = [{"message_id": letter, "line_id": line_id(1), "text": "x"} for letter in "abcd"]
    due = [DueMessage(Cursor(message_id=str(item["message_id"])), item, datetime.now(UTC)) for item in records]
    with open_store(sqlite_url) as store:
        repository = IdentityRepository(store, MergePolicy())
        decided = MessageDecider(repository, SendingPolicy(), MonthlyUnits()).decide(due)
    first, second, third, last = (item.decision for item in decided)
    assert isinstance(first, Send)
    assert isinstance(last, Send)
    assert second == Invalid(Reason.INVALID_MESSAGE, "the message cannot be processed (RecursionError)")
    assert third == Invalid(Reason.INVALID_MESSAGE, "the message cannot be processed (OverflowError)")
    assert "OverflowError at decide" in caplog.text
    assert "aoi" not in caplog.text
