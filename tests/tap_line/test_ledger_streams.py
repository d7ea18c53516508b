"""What the tap reads from the ledger of target-line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from line_core.draft_channel import draft_channel
from line_core.store import open_store
from line_core.store.tables.ledger import messages, requests
from tap_line.queries.ledger import sent_campaigns
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from line_core.store import Store
    from tests.support.tap_program import Tap

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_deliveries_name_the_recipient_and_leave_drafts_of_dry_runs_out(tap: Tap, store_url: str) -> None:
    records: list[dict[str, Any]] = [
        {"message_id": "a", "id": "c-404", "text": "x"},
        {"message_id": "b", "recipient": {"limit": {"max": 5}}, "text": "x"},
    ]
    with open_store(store_url) as store, store.write(lock="ledger") as connection:
        stage_records(connection, records)
        stage_records(connection, records, channel=draft_channel("dry"))
    found = tap.run("deliveries", store_url=store_url).records["deliveries"]
    assert sorted((row["channel"], row["message_id"], row["recipient_column"], row["recipient"]) for row in found) == [
        ("main", "a", "id", "c-404"),
        ("main", "b", "recipient", '{"limit": {"max": 5}}'),
    ]


def test_campaigns_of_broadcasts_have_no_unit_statistics(store: Store) -> None:
    methods = ("push", "multicast", "broadcast", "narrowcast")
    with store.write(lock="ledger") as connection:
        stage_records(
            connection,
            [{"message_id": name, "id": "a", "text": "x", "campaign": f"by_{name}"} for name in methods],
        )
        for name in methods:
            row = {"retry_key": name, "channel": "main", "method": name, "body": "{}", "recipients": 1}
            times = {"claimed_at": NOW, "finished_at": NOW, "claimed_by": "run"}
            connection.execute(insert(requests).values(**row, **times, status="accepted"))
            sent = {"status": "accepted", "retry_key": name}
            connection.execute(update(messages).where(messages.c.message_id == name).values(sent))
    assert [campaign.unit for campaign in sent_campaigns(store, "main")] == ["by_multicast", "by_push"]
