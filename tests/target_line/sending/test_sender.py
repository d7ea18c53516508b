"""The sender: what it does while LINE keeps it waiting."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select

from line_core.api.response import Response
from line_core.identity.policy import MergePolicy
from line_core.store.tables.ledger import messages
from target_line.identity.repository import IdentityRepository
from target_line.intake.reject_limit import RejectLimit
from target_line.run_report import RunReport
from target_line.sending.account import Units
from target_line.sending.claim.claims import RequestClaims
from target_line.sending.claim.quota import Allowance, Quota
from target_line.sending.decide import decider
from target_line.sending.decide.decider import Decider
from target_line.sending.ledger import Ledger, MessageToStage
from target_line.sending.policy import SendingPolicy
from target_line.sending.read.message import parse_message
from target_line.sending.send import sender
from target_line.sending.send.sender import Sender
from tests.support.people import line_id
from tests.support.rate_limiter_simulation import InMemoryRateLimiter

if TYPE_CHECKING:
    import pytest

    from line_core.api.client import LineClient
    from line_core.store import Store


class SlowLine:
    """LINE, taking its time and accepting everything."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def request(self, method: str, path: str, **_: Any) -> Response:
        await asyncio.sleep(self._seconds)
        return Response(f"{method} {path}", 200, {"x-line-request-id": "r"}, b"{}")


def test_what_was_decided_long_before_it_can_be_claimed_is_decided_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_IN_FLIGHT", 1)
    monkeypatch.setattr(sender, "_QUEUE_SIZE", 1)
    monkeypatch.setattr(sender, "_STALE_AFTER", timedelta(seconds=0.2))
    monkeypatch.setattr(decider, "PAGE", 1)
    expires_at = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    records = [{"message_id": str(number), "line_id": line_id(number), "text": "the same"} for number in range(5)]
    records[4]["expires_at"] = expires_at
    ledger = Ledger(store, "main", "run")
    with store.write(lock="ledger") as connection:
        ledger.stage(connection, [MessageToStage(parse_message(record, "default"), record) for record in records])
    policy, report = SendingPolicy(multicast_min=500), RunReport(RejectLimit.parse(None))
    sending = Sender(
        ledger,
        RequestClaims(store, "main", "run", ledger, policy),
        cast("LineClient", SlowLine(1)),
        InMemoryRateLimiter(),
        Decider(IdentityRepository(store, MergePolicy()), policy, "main", Units()),
        Allowance("main", Quota.unlimited()),
        report,
    )
    asyncio.run(sending.run())
    with store.read() as connection:
        outcomes = dict(connection.execute(select(messages.c.message_id, messages.c.status)).all())
    assert outcomes == {"0": "accepted", "1": "accepted", "2": "accepted", "3": "accepted", "4": "skipped"}
