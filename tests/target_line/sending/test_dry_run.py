"""Plans and validation without sending."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from sqlalchemy import select

from line_core.api.errors import ServerError
from line_core.api.response import Response
from line_core.identity.model import UNDATED, DatedValue, Identifier, IdentifierKind, RefusedOptOut
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.store.tables.ledger import plans
from target_line.identity.repository import IdentityRepository
from target_line.reasons import Reason
from target_line.sending.account import MonthlyUnits
from target_line.sending.claim.planner import PagePlanner
from target_line.sending.decide import decider
from target_line.sending.decide.decider import DueMessages, MessageDecider
from target_line.sending.decide.decisions import Invalid, LineUser, Send, Skipped
from target_line.sending.dry_run.pages import plan_pages
from target_line.sending.dry_run.plan import SendPlan, save_plan, summarize
from target_line.sending.dry_run.validation import RejectedContent, validate_contents
from target_line.sending.ledger import Ledger
from target_line.sending.policy import FrequencyCap, SendingPolicy
from target_line.sending.quota import QuotaStatus
from tests.support.people import follow, identify, line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from line_core.api.client import LineClient
    from line_core.store import Store
    from target_line.sending.claim.plan import PlannedRequest

UNLIMITED = QuotaStatus(None, 0, datetime(2026, 1, 1, tzinfo=UTC))


def stage(store: Store, *records: dict[str, Any]) -> Ledger:
    """Stage records, numbered in their order."""
    ledger = Ledger(store, "main", "run")
    numbered = [{"message_id": f"m{number:04}", **record} for number, record in enumerate(records)]
    with store.write(lock="ledger") as connection:
        stage_records(connection, numbered, channel=ledger.channel, run_id=ledger.run_id)
    return ledger


def plan(ledger: Ledger, policy: SendingPolicy | None = None, units: MonthlyUnits | None = None) -> SendPlan:
    policy = policy or SendingPolicy()
    identity = IdentityRepository(ledger.store, MergePolicy())
    due = DueMessages(ledger, MessageDecider(identity, policy, units or MonthlyUnits()))
    return summarize(plan_pages(ledger.store, due, PagePlanner("main", policy)))


def planned_requests(ledger: Ledger) -> list[PlannedRequest]:
    policy = SendingPolicy()
    due = DueMessages(ledger, MessageDecider(IdentityRepository(ledger.store, MergePolicy()), policy, MonthlyUnits()))
    pages = plan_pages(ledger.store, due, PagePlanner("main", policy))
    return [request for page in pages for request in page.requests]


def test_messages_to_shared_and_contested_identifiers_are_rejected_and_those_to_the_claimants_are_not(
    store: Store,
) -> None:
    policy = MergePolicy(conflict=IdentifierConflict.REJECT, max_people_per_line_id=2)
    identity = IdentityRepository(store, policy)
    tablet = [identify(at=1, id=name, line=9) for name in "abc"]
    contested = [identify(at=1, id=name, email="x@example.com", line=number) for number, name in enumerate("de", 1)]
    identity.ingest([*tablet, *contested, *(identify(at=1, id=name, line=5) for name in "fg")])
    recipients = {"line_id": line_id(9)}, {"email": "x@example.com"}, {"line_id": line_id(5)}, {"id": "a"}, {"id": "d"}
    ledger = stage(store, *({**recipient, "text": "hello"} for recipient in recipients))
    decider = MessageDecider(identity, SendingPolicy(), MonthlyUnits())
    (page,) = DueMessages(ledger, decider).pages()
    decisions = [item.decision for item in page.messages]
    assert [decision.reason for decision in decisions if isinstance(decision, Invalid | Skipped)] == [
        Reason.SHARED_LINE_ID,
        Reason.AMBIGUOUS_IDENTITY,
        Reason.AMBIGUOUS_IDENTITY,
        Reason.NO_LINE_ID,
    ]
    assert [decision.to for decision in decisions if isinstance(decision, Send)] == [LineUser(line_id(1))]


def test_an_opt_out_of_a_rejected_record_stops_messages_to_a_line_id_without_a_profile(store: Store) -> None:
    name = Identifier(IdentifierKind.LINE_ID, "default", line_id(1))
    IdentityRepository(store, MergePolicy()).ingest(
        [RefusedOptOut((name,), {"unsubscribed": DatedValue(UNDATED, True)})]
    )
    ledger = stage(store, {"line_id": line_id(1), "text": "hello"}, {"line_id": line_id(2), "text": "hello"})
    result = plan(ledger, SendingPolicy(suppression_attributes=("unsubscribed",)))
    assert result.not_sent == {"skipped (suppressed)": 1}


def test_the_follow_state_of_another_channel_does_not_count(store: Store) -> None:
    IdentityRepository(store, MergePolicy()).ingest(
        [
            *(follow(1, at=1, channel="main"), follow(1, at=2, type_="unfollow", channel="shop")),
            *(follow(2, at=1, channel="shop"), follow(2, at=2, type_="unfollow", channel="main")),
        ]
    )
    result = plan(stage(store, {"line_id": line_id(1), "text": "hello"}, {"line_id": line_id(2), "text": "hello"}))
    assert result.not_sent == {"skipped (unfollowed)": 1}
    assert result.messages == {"push": 1}


def test_a_plan_counts_messages_requests_and_quota_and_abbreviates_examples(store: Store) -> None:
    to_many = [{"line_id": line_id(number), "text": "hello"} for number in range(3)]
    ledger = stage(store, *to_many, {"recipient": "everyone", "text": "all"}, {"id": "nobody", "text": "x"})
    result = plan(ledger)
    assert result.messages == {"multicast": 3, "broadcast": 1}
    assert result.requests == {"multicast": 1, "broadcast": 1}
    assert result.quota_needed == 3
    assert result.not_sent == {"skipped (unknown_recipient)": 1}
    example = next(example for example in result.examples if example["method"] == "multicast")
    assert example["body"]["to"] == [line_id(0), "and 2 more"]
    lines = list(result.lines(QuotaStatus(10, 4, UNLIMITED.read_at)))
    assert lines[0] == "plan: 4 messages in 2 requests: 1 by broadcast in 1, 3 by multicast in 1"
    assert lines[1] == "plan: 3 of the monthly quota (6 left), without broadcasts and narrowcasts"
    assert lines[2] == "plan: not sent: skipped (unknown_recipient) 1"
    assert "admin plans" in lines[3], "examples contain texts for customers, which are not logged"
    assert len(lines) == 4


def test_an_empty_plan_has_lines_too(store: Store) -> None:
    assert list(plan(stage(store)).lines(UNLIMITED)) == [
        "plan: 0 messages in 0 requests",
        "plan: 0 of the monthly quota (no limit), without broadcasts and narrowcasts",
        "plan: not sent: none",
    ]


def test_a_plan_has_at_most_three_examples_of_different_contents(store: Store) -> None:
    texts = ["a", "a", "b", "c", "d"]
    ledger = stage(store, *({"line_id": line_id(1), "text": text} for text in texts))
    examples = plan(ledger).examples
    contents = {example["body"]["messages"][0]["text"] for example in examples}
    assert len(examples) == len(contents) == 3


def test_a_plan_with_the_same_hash_replaces_the_saved_one(store: Store) -> None:
    result = plan(stage(store, {"line_id": line_id(1), "text": "hello"}))
    for used in (1, 2):
        save_plan(store, "main", result, QuotaStatus(10, used, UNLIMITED.read_at))
    with store.read() as connection:
        (saved,) = connection.execute(select(plans)).all()
    assert saved.plan_hash == result.plan_hash
    assert saved.summary["quota"] == {"needed": 1, "left": 8, "limit": 10}


def test_the_frequency_cap_counts_messages_planned_on_earlier_pages(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decider, "PAGE_SIZE", 2)
    ledger = stage(store, *({"line_id": line_id(1), "text": str(number)} for number in range(9)))
    result = plan(ledger, SendingPolicy(frequency_cap=FrequencyCap(3, timedelta(days=7))))
    assert result.messages == {"push": 3}
    assert result.not_sent == {"skipped (frequency_cap)": 6}


def test_a_campaign_without_an_available_unit_is_rejected_and_broadcasts_need_none(store: Store) -> None:
    ledger = stage(
        store,
        {"line_id": line_id(1), "text": "x", "campaign": "new"},
        {"line_id": line_id(1), "text": "x", "campaign": "known"},
        {"recipient": "everyone", "text": "x", "campaign": "new"},
    )
    result = plan(ledger, units=MonthlyUnits({"known"}, available=0))
    assert result.messages == {"push": 1, "broadcast": 1}
    assert result.not_sent == {"rejected (too_many_campaigns)": 1}


def test_a_record_that_other_settings_make_invalid_is_rejected(store: Store) -> None:
    ledger = stage(store, {"line_id": line_id(1), "text": "x"})
    valid = plan(ledger)
    with store.write() as connection:
        connection.exec_driver_sql("""UPDATE messages SET record = '{"message_id": "m0000", "text": "x"}'""")
    assert (valid.messages, valid.not_sent) == ({"push": 1}, {})
    assert plan(ledger).not_sent == {"rejected (no_recipient)": 1}


class ScriptedValidation:
    """A client that rejects messages with the text `bad`."""

    def __init__(self, status: int = 400) -> None:
        self._status = status
        self.requests: list[tuple[str, bytes]] = []

    async def request_with_retries(self, method: str, path: str, *, body: bytes) -> Response:
        self.requests.append((path, body))
        is_bad = json.loads(body)["messages"][0]["text"] == "bad"
        message = {"message": "invalid", "details": [{"property": "messages[0].text", "message": "no"}]}
        return Response(
            f"{method} {path}",
            self._status if is_bad else 200,
            {"x-line-request-id": "r"},
            json.dumps(message).encode(),
        )


def test_each_content_is_validated_once_per_send_method(store: Store) -> None:
    good = [{"line_id": line_id(number), "text": "good"} for number in (1, 2, 1)]
    ledger = stage(store, *good, {"line_id": line_id(3), "text": "bad"})
    client = ScriptedValidation()
    rejected = asyncio.run(validate_contents(cast("LineClient", client), planned_requests(ledger)))
    assert rejected == [RejectedContent(("m0003",), "invalid; messages[0].text: no")]
    assert sorted(path for path, _ in client.requests) == [
        "/v2/bot/message/validate/multicast",
        "/v2/bot/message/validate/push",
        "/v2/bot/message/validate/push",
    ]
    assert (
        "/v2/bot/message/validate/multicast",
        b'{"messages":[{"type":"text","text":"good"}]}',
    ) in client.requests


def test_a_failed_validation_request_is_an_error(store: Store) -> None:
    ledger = stage(store, {"line_id": line_id(3), "text": "bad"})
    with pytest.raises(ServerError):
        asyncio.run(validate_contents(cast("LineClient", ScriptedValidation(status=500)), planned_requests(ledger)))
