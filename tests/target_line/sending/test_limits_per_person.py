"""One message of a campaign per person, repeated contents, and samples for test recipients."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from line_core.identity.policy import MergePolicy
from line_core.store.tables.ledger import messages as message_rows
from target_line.identity.repository import IdentityRepository
from target_line.sending.account import MonthlyUnits
from target_line.sending.claim.planner import PagePlanner
from target_line.sending.decide import decider
from target_line.sending.decide.decider import DueMessages, MessageDecider
from target_line.sending.dry_run.pages import plan_pages
from target_line.sending.dry_run.plan import SendPlan, summarize
from target_line.sending.ledger import Ledger
from target_line.sending.policy import SendingPolicy
from tests.support.ledger_claims import allowance_of, request_claims
from tests.support.people import identify, line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from line_core.store import Store
    from target_line.sending.decide.decisions import DecidedMessage
    from tests.support.target_program import TargetProgram

ONCE = SendingPolicy(once_per_campaign=True)
TEMPLATE = "Hi {{ variables.name }}"


def stage(store: Store, *records: dict[str, Any]) -> Ledger:
    with store.write(lock="ledger") as connection:
        stage_records(connection, [{"text": "x", "campaign": "spring", **record} for record in records])
    return Ledger(store, "main", "run")


def due_messages(ledger: Ledger, policy: SendingPolicy) -> DueMessages:
    decider_ = MessageDecider(IdentityRepository(ledger.store, MergePolicy()), policy, MonthlyUnits())
    return DueMessages(ledger, decider_)


def plan(ledger: Ledger, policy: SendingPolicy) -> SendPlan:
    return summarize(plan_pages(ledger.store, due_messages(ledger, policy), PagePlanner("main", policy)))


def claim(ledger: Ledger, policy: SendingPolicy) -> Counter[str]:
    """Claim everything that is due, and return the number of unsent messages by reason."""
    claims, unsent = request_claims(ledger, policy), Counter[str]()
    carried_over: list[DecidedMessage] = []
    for page in due_messages(ledger, policy).pages():
        result = claims.claim(page.after(carried_over), allowance_of())
        carried_over = result.carried_over
        unsent.update({str(reason): count for (_, reason), count in result.unsent.items()})
    return unsent


def test_a_person_gets_one_message_of_a_campaign_by_any_key_on_any_page_and_in_any_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decider, "PAGE_SIZE", 2)
    IdentityRepository(store, MergePolicy()).ingest([identify(at=1, id="a", email="a@example.com", line=1)])
    ways = {"id": "a"}, {"email": "a@example.com"}, {"line_id": line_id(1)}
    ledger = stage(
        store,
        *({"message_id": f"m{number}", "text": str(number), **way} for number, way in enumerate(ways)),
        {"message_id": "other campaign", "id": "a", "campaign": "summer"},
        {"message_id": "other person", "line_id": line_id(2)},
        {"message_id": "code", "id": "a", "transactional": True},
        {"message_id": "no campaign", "id": "a", "campaign": None},
    )
    result = plan(ledger, ONCE)
    # The transactional message counts, so it is the one of the campaign.
    assert result.not_sent == {"skipped (once_per_campaign)": 3}
    assert claim(ledger, ONCE) == {"once_per_campaign": 3}
    IdentityRepository(store, MergePolicy()).ingest([identify(at=2, id="a", line=3)])
    later = stage(store, {"message_id": "later", "id": "a"}, {"message_id": "other", "id": "a", "campaign": "autumn"})
    assert plan(later, ONCE).not_sent == {"skipped (once_per_campaign)": 1}, "the person has another LINE ID now"
    assert plan(later, SendingPolicy()).not_sent == {}


def test_messages_to_test_recipients_and_rejected_ones_do_not_count_for_the_campaign(store: Store) -> None:
    tests = SendingPolicy(test_recipients=(line_id(9),))
    ledger = stage(store, {"message_id": "test", "line_id": line_id(1)}, {"message_id": "bad", "line_id": line_id(2)})
    claim(ledger, tests)
    with store.write() as connection:
        connection.execute(
            update(message_rows).where(message_rows.c.message_id == "bad").values(status="rejected", reason=None)
        )
    ledger = stage(store, {"message_id": "1", "line_id": line_id(1)}, {"message_id": "2", "line_id": line_id(2)})
    assert claim(ledger, ONCE) == {}


@pytest.mark.parametrize("samples", [1, 3])
def test_test_recipients_get_samples_of_each_template_and_not_each_filled_in_message(
    store: Store, monkeypatch: pytest.MonkeyPatch, samples: int
) -> None:
    monkeypatch.setattr(decider, "PAGE_SIZE", 4)
    policy = SendingPolicy(test_recipients=(line_id(9),), test_samples=samples)
    ledger = stage(
        store,
        *(
            {"message_id": f"{text} {number}", "line_id": line_id(number), "text": text, "variables": {"name": number}}
            for text in (TEMPLATE, TEMPLATE + "!")
            for number in range(10)
        ),
    )
    result = plan(ledger, policy)
    assert (result.messages.total(), result.not_sent) == (
        2 * samples,
        {"skipped (test_recipients)": 20 - 2 * samples},
    )
    assert claim(ledger, policy) == {"test_recipients": 20 - 2 * samples}


def test_a_run_and_its_plan_warn_of_repeated_contents_unless_once_per_campaign_is_set(
    sqlite_target: TargetProgram,
) -> None:
    (one,) = sqlite_target.line_ids(1)
    person = ("profiles", {"id": "a", "email": "a@example.com", "line_id": one, "updated_at": "2026-01-01"})
    ways = {"id": "a"}, {"email": "a@example.com"}, {"line_id": one}
    records = [
        ("messages", {"message_id": f"m{number}", "text": "hello", "campaign": "spring", **way})
        for number, way in enumerate(ways)
    ]
    warning = "At least 2 messages, for example m1, have the same content for the same person"
    once = sqlite_target.run(person, *records, mode="plan", once_per_campaign=True)
    assert "plan: 1 messages" in once
    assert "At least" not in once
    assert sqlite_target.run(person, *records, mode="plan").count(warning) == 1
    assert sqlite_target.run(person, *records).count(warning) == 1
    log = sqlite_target.run(
        *(("messages", {**record, "message_id": f"again {record['message_id']}"}) for _, record in records),
        once_per_campaign=True,
    )
    assert "messages: 3 records: skipped (once_per_campaign) 3" in log
    assert len(sqlite_target.deliveries()) == 3
