"""What is checked right before a request leaves: the run stops, the message expires, the decision changes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from line_core.errors import LineError
from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from line_core.store.tables.ledger import messages
from target_line.identity.repository import IdentityRepository
from target_line.sending.decide.approved import ApprovedSends
from target_line.sending.dry_run.pages import plan_pages
from target_line.sending.quiet_hours import QuietHours
from target_line.sending.send import gate
from target_line.sending.send.sender import SenderLimits
from tests.support.ledger_claims import allowance_of, request_claims
from tests.support.people import identify, line_id
from tests.support.scripted_line import ACCEPTED, ScriptedLine, SendingRunOnStore, response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from line_core.store import Store
    from target_line.sending.send.sender import Sender


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


class StopError(LineError):
    """The test stops the run."""


def accept(_body: dict[str, Any], _attempt: int) -> Any:
    return ACCEPTED


async def wait_until_sent(line: ScriptedLine, count: int) -> None:
    while len(line.bodies) < count:
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("text", [None, "the same"], ids=["pushes", "multicasts"])
def test_after_a_stop_nothing_leaves_and_the_rest_is_scheduled(sqlite_store: Store, text: str | None) -> None:
    run = SendingRunOnStore(sqlite_store)
    for part in range(8):
        records = [
            {"message_id": f"{part}-{number}", "line_id": line_id(number), "text": f"{text or number} {part}"}
            for number in range(50)
        ]
        run.stage_records(records)
    line = ScriptedLine(accept, permit_seconds=0.02)
    sent_at_stop = 0

    async def stop(sender: Sender) -> None:
        nonlocal sent_at_stop
        await wait_until_sent(line, 3)
        sent_at_stop = len(line.bodies)
        sender.stop(StopError("stopped"))

    started = time.monotonic()
    with pytest.raises(StopError):
        run.send(line, meanwhile=stop)
    assert len(line.bodies) == sent_at_stop
    assert time.monotonic() - started < 20
    counts = Counter(run.statuses().values())
    assert counts.keys() == {"accepted", "scheduled"}
    run.send(ScriptedLine(accept))
    assert set(run.statuses().values()) == {"accepted"}


def test_a_stop_ends_the_wait_for_an_hourly_limit_at_once(sqlite_store: Store) -> None:
    run = SendingRunOnStore(sqlite_store)
    run.stage_records(
        [{"message_id": str(number), "recipient": "everyone", "text": str(number)} for number in range(6)]
    )

    async def stop(sender: Sender) -> None:
        await asyncio.sleep(0.5)
        sender.stop(StopError("stopped"))

    with pytest.raises(StopError):
        run.send(ScriptedLine(accept, permit_seconds=3600), meanwhile=stop)
    assert set(run.statuses().values()) == {"scheduled"}


def test_a_stop_ends_the_pause_before_the_next_attempt(sqlite_store: Store) -> None:
    run = SendingRunOnStore(sqlite_store)
    run.stage(1)

    async def stop(sender: Sender) -> None:
        await wait_until_sent(line, 1)
        await asyncio.sleep(0.1)
        sender.stop(StopError("stopped"))

    line = ScriptedLine(lambda _body, _attempt: response(500))
    with pytest.raises(StopError):
        run.send(line, meanwhile=stop)
    assert [len(bodies) for bodies in line.bodies.values()] == [1]
    assert run.statuses() == {"0": "claimed"}


def test_broadcasts_that_wait_do_not_hold_up_pushes(sqlite_store: Store) -> None:
    class Line(ScriptedLine):
        async def request(self, method: str, path: str, **options: Any) -> Any:
            if path.endswith("broadcast"):
                await asyncio.sleep(3600)
            return await super().request(method, path, **options)

    run = SendingRunOnStore(sqlite_store)
    run.stage_records([{"message_id": f"b{n}", "recipient": "everyone", "text": str(n)} for n in range(300)])
    run.stage(20)
    line = Line(accept)

    async def stop(sender: Sender) -> None:
        await wait_until_sent(line, 20)
        sender.stop(StopError("stopped"))

    with pytest.raises(StopError):
        run.send(line, meanwhile=stop)
    assert Counter(run.statuses().values()) == {"accepted": 20, "scheduled": 300}


def test_a_message_that_expires_while_it_waits_is_skipped(sqlite_store: Store) -> None:
    run = SendingRunOnStore(sqlite_store)
    expires_at = datetime.now(UTC) + timedelta(seconds=1.5)
    run.stage(30, expires_at=expires_at.isoformat())
    left_at: list[datetime] = []

    def respond(_body: dict[str, Any], _attempt: int) -> Any:
        left_at.append(datetime.now(UTC))
        return ACCEPTED

    run.send(ScriptedLine(respond, permit_seconds=0.15))
    counts = Counter((row.status, row.reason) for row in run.rows().values())
    assert counts.keys() == {("accepted", None), ("skipped", "expired")}
    assert max(left_at) < expires_at + timedelta(seconds=0.2)


def test_quiet_hours_that_begin_while_a_message_waits_postpone_it(sqlite_store: Store) -> None:
    now = datetime.now(UTC)
    quiet = QuietHours((now + timedelta(seconds=1.5)).time(), (now - timedelta(hours=1)).time())
    run = SendingRunOnStore(sqlite_store, quiet_hours=quiet)
    run.stage(30)
    run.send(ScriptedLine(accept, permit_seconds=0.15))
    counts = Counter((row.status, row.reason) for row in run.rows().values())
    assert counts.keys() == {("accepted", None), ("scheduled", "quiet_hours")}


def test_an_opt_out_while_a_message_waits_is_kept(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_DECISION_AGE", timedelta(seconds=0.1))
    run = SendingRunOnStore(sqlite_store, suppression_attributes=("unsubscribed",))
    run.stage(20)
    line = ScriptedLine(accept, permit_seconds=0.1)

    async def opt_out(_: Sender) -> None:
        await wait_until_sent(line, 3)
        for number in range(1, 20):
            opt_out_of(sqlite_store, number)

    run.send(line, meanwhile=opt_out)
    counts = Counter((row.status, row.reason) for row in run.rows().values())
    assert counts["skipped", "suppressed"] >= 10
    assert counts.total() == 20


def test_a_message_withdrawn_while_it_waits_does_not_leave(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MAX_DECISION_AGE", timedelta(seconds=0.1))
    run = SendingRunOnStore(sqlite_store)
    run.stage(20)
    line = ScriptedLine(accept, permit_seconds=0.1)

    async def withdraw(_: Sender) -> None:
        await wait_until_sent(line, 3)
        with sqlite_store.write() as connection:
            open_messages = messages.c.status.in_(["claimed", "scheduled"])
            connection.execute(update(messages).where(open_messages).values(status="skipped"))

    run.send(line, meanwhile=withdraw)
    assert len(line.bodies) <= 5


def test_a_request_is_sent_unchanged_if_the_decision_is_the_same_after_a_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MAX_DECISION_AGE", timedelta(0))
    run = SendingRunOnStore(store)
    run.stage(5, text="the same")
    group = "C" + "1" * 32
    run.stage_records(
        [
            {"message_id": "push", "line_id": line_id(9), "text": "one"},
            {"message_id": "group", "group_id": group, "text": "group"},
            {"message_id": "all", "recipient": "everyone", "text": "all"},
            {"message_id": "some", "recipient": {"filter": {"demographic": {"type": "age"}}}, "text": "some"},
        ]
    )
    line = ScriptedLine(accept)
    run.send(line)
    assert sorted(line.methods) == ["broadcast", "multicast", "narrowcast", "push", "push"]
    assert set(run.statuses().values()) == {"accepted"}


def test_a_request_that_line_may_have_accepted_is_never_replaced(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MAX_DECISION_AGE", timedelta(0))
    run = SendingRunOnStore(sqlite_store, suppression_attributes=("unsubscribed",))
    run.stage_records([{"message_id": "m", "line_id": line_id(1), "text": "one"}])
    line = ScriptedLine(lambda _body, attempt: ACCEPTED if attempt > 1 else response(500))

    async def opt_out(_: Sender) -> None:
        await wait_until_sent(line, 1)
        opt_out_of(sqlite_store, 1)

    run.send(line, meanwhile=opt_out)
    assert [len(bodies) for bodies in line.bodies.values()] == [2]
    assert run.statuses() == {"m": "accepted"}


def test_messages_staged_after_the_plan_was_approved_are_not_sent(store: Store) -> None:
    run = SendingRunOnStore(store)
    run.stage(3, text="the same")
    approved = ApprovedSends()
    claims = request_claims(run.ledger)
    for page in plan_pages(store, run.due(), claims.planner):
        for message_id, send in page.sends.items():
            approved.add(message_id, send)
    run.stage_records([{"message_id": "late", "line_id": line_id(7), "text": "the same"}])
    line = ScriptedLine(accept)
    run.send(line, due=run.due().only(approved))
    assert run.statuses() == {"0": "accepted", "1": "accepted", "2": "accepted", "late": "scheduled"}


@pytest.mark.parametrize(
    ("policy", "limits", "max_sends"),
    [
        ({"test_recipients": (line_id(99),)}, SenderLimits(finishes_earlier_runs=False), None),
        ({}, SenderLimits(), 0),
    ],
    ids=["test recipients", "max_sends_per_run"],
)
def test_what_a_stopped_run_claimed_keeps_the_limits_of_the_next_run(
    sqlite_store: Store, policy: dict[str, Any], limits: SenderLimits, max_sends: int | None
) -> None:
    killed = SendingRunOnStore(sqlite_store, "killed")
    killed.stage(4)
    claims = request_claims(killed.ledger)
    (page,) = killed.due().pages()
    requests = claims.claim(page, allowance_of()).requests
    claims.mark_attempted(requests[:1])
    line = ScriptedLine(accept)
    run = SendingRunOnStore(sqlite_store, "next", **policy)
    run.send(line, limits=limits, allowance=allowance_of(max_sends=max_sends))
    recipients = {line_id(number) for number in range(4)}
    sent = b"".join(body for bodies in line.bodies.values() for body in bodies).decode()
    assert not any(recipient in sent for recipient in recipients)
    counts = Counter(run.statuses().values())
    assert counts["claimed"] == 1
    SendingRunOnStore(sqlite_store, "last").send(line)
    assert set(run.statuses().values()) == {"accepted"}


def test_an_opt_out_since_a_run_was_killed_is_kept(sqlite_store: Store) -> None:
    killed = SendingRunOnStore(sqlite_store, "killed")
    killed.stage(4)
    claims = request_claims(killed.ledger)
    (page,) = killed.due().pages()
    claims.claim(page, allowance_of())
    opt_out_of(sqlite_store, 2)
    run = SendingRunOnStore(sqlite_store, "next", suppression_attributes=("unsubscribed",))
    run.send(ScriptedLine(accept))
    assert run.statuses() == {"0": "accepted", "1": "accepted", "2": "skipped", "3": "accepted"}


def opt_out_of(store: Store, number: int) -> None:
    """Store that the person with the LINE ID of a number has unsubscribed."""
    IdentityRepository(store, MergePolicy()).ingest([identify(at=1, line=number, unsubscribed=True)])
