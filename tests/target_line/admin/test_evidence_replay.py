"""`target-line-admin replay-rejects`: notices, opt-outs, and rejects that the merge rules made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from line_core.store.tables.rejects import rejects
from target_line.admin.reject_replay import LEFT, REJECTED, STORED, RejectFilter, RejectReplay
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.run_context import RunContext
from target_line.settings import CONFIG_JSONSCHEMA
from tests.support.people import line_id

if TYPE_CHECKING:
    from line_core.store import Store

NEW_YEAR = "2026-01-01T00:00:00Z"


class Replaying:
    """A store with rejects, which are replayed."""

    def __init__(self, store: Store, store_url: str) -> None:
        self.store = store
        self.store_url = store_url

    def reject(self, record: dict[str, Any], reason: Reason = Reason.INVALID_RECORD) -> None:
        with self.store.write() as connection:
            save_rejects(connection, "main", [Reject("profiles", record, reason, "detail")])

    def replay(self, **settings: Any) -> dict[str, int]:
        properties = CONFIG_JSONSCHEMA["properties"]
        defaults = {name: setting["default"] for name, setting in properties.items() if "default" in setting}
        context = RunContext.open({**defaults, "store_url": self.store_url, **settings})
        with context.store:
            outcomes = RejectReplay(context, {}).run(RejectFilter())
            self.profiles = {profile.key.value: profile for profile in context.identity.profiles()}
        return {outcome: count for outcome, count in outcomes.items() if count}

    def open_reasons(self) -> list[str]:
        with self.store.read() as connection:
            query = select(rejects.c.reason).where(rejects.c.replayed_at.is_(None)).order_by(rejects.c.reject_id)
            return list(connection.scalars(query))


@pytest.fixture
def replaying(store: Store, store_url: str) -> Replaying:
    return Replaying(store, store_url)


def test_a_record_that_loses_an_identifier_again_counts_and_stays_a_reject(replaying: Replaying) -> None:
    replaying.reject({"id": "c-1", "email": "guest", "updated_at": NEW_YEAR, "name": "Aoi"}, Reason.JUNK_IDENTIFIER)
    for _ in range(2):
        assert replaying.replay() == {REJECTED: 1}
        assert replaying.profiles["c-1"].attributes == {"name": "Aoi"}
        assert replaying.open_reasons() == ["junk_identifier"]


def test_a_removed_identifier_counts_after_the_setting_was_corrected(replaying: Replaying) -> None:
    replaying.reject({"id": "guest", "email": "aoi@example.com", "updated_at": NEW_YEAR}, Reason.JUNK_IDENTIFIER)
    replaying.replay()
    assert list(replaying.profiles) == ["aoi@example.com"]
    assert replaying.replay(junk_identifiers=["unknown"]) == {STORED: 1}
    assert list(replaying.profiles) == ["guest"]
    assert replaying.open_reasons() == []


def test_the_opt_out_of_a_record_that_is_rejected_again_counts(replaying: Replaying) -> None:
    replaying.reject({"id": "c-1"})
    replaying.reject({"id": "c-1", "UNSUBSCRIBED": 1, "attributes": "{", "updated_at": NEW_YEAR})
    assert replaying.replay() == {STORED: 1, REJECTED: 1}
    assert replaying.profiles["c-1"].attributes == {"unsubscribed": 1}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, Reason.FORGOTTEN),
        ({"unreadable": json.dumps([1])}, Reason.INVALID_RECORD),
        ({"id": "c-1", "email": "aoi@example.com"}, Reason.NOT_MAPPED),
        ({"id": "c-1", "line_id": line_id(1)}, Reason.TOO_MANY_LINE_IDS),
        ({"id": "c-1", "email": "aoi@example.com"}, Reason.AMBIGUOUS_IDENTITY),
        ({"id": "c-1"}, Reason.SHARED_ID),
        ({"email": "aoi@example.com"}, Reason.SHARED_EMAIL),
        ({"line_id": line_id(1)}, Reason.SHARED_LINE_ID),
    ],
)
def test_a_reject_without_a_record_of_the_input_is_left_as_it_is(
    replaying: Replaying, record: dict[str, Any], reason: Reason
) -> None:
    replaying.reject(record, reason)
    assert replaying.replay() == {LEFT: 1}
    assert replaying.profiles == {}
    assert replaying.open_reasons() == [reason]
