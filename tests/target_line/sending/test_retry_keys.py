"""Retry keys of pushes derive from what they send, so that LINE refuses what another store has sent."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from line_core.message_status import MessageStatus
from line_core.store import open_store
from line_core.store.tables import ledger as tables
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome
from target_line.sending.claim.retry_keys import derived_key
from target_line.sending.decide.decisions import LineUser, Send
from target_line.sending.ledger import Ledger
from target_line.sending.policy import SendingPolicy
from tests.support import random_retry_keys
from tests.support.ledger_claims import claim_due, request_claims, text_content
from tests.support.people import line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from line_core.store import Store
    from target_line.sending.ledger import DueMessage
    from tests.support.target_program import TargetProgram

_texts = st.text(max_size=20)


def stage(store: Store, *message_ids: str, text: str = "hello") -> None:
    records = [{"message_id": message_id, "line_id": line_id(1), "text": text} for message_id in message_ids]
    with store.write(lock="ledger") as connection:
        stage_records(connection, records)


def send_to_one_person(due: DueMessage) -> Send:
    return Send(LineUser(line_id(1)), text_content(due.record["text"]))


def send_to_own_person(due: DueMessage) -> Send:
    return Send(LineUser(line_id(int.from_bytes(due.message_id.encode()))), text_content(due.record["text"]))


def claim(store: Store, run: str = "run", *, policy: SendingPolicy | None = None, decide: Any = None) -> Claimed:
    return Claimed(store, run, policy or SendingPolicy(), decide or send_to_one_person)


class Claimed:
    """The claims of one run."""

    def __init__(self, store: Store, run: str, policy: SendingPolicy, decide: Callable[[DueMessage], Send]) -> None:
        ledger = Ledger(store, "main", run)
        self.claims = request_claims(ledger, policy)
        self.claims.retry_keys.account = "Uaccount"
        self.requests: list[ClaimedRequest] = claim_due(self.claims, ledger, decide).requests

    @property
    def key(self) -> str:
        (request,) = self.requests
        return request.retry_key


@given(
    st.tuples(_texts, _texts, _texts, _texts, st.integers(0, 3)),
    st.tuples(_texts, _texts, _texts, _texts, st.integers(0, 3)),
)
def test_keys_are_equal_if_and_only_if_everything_is_equal(
    first: tuple[str, str, str, str, int], second: tuple[str, str, str, str, int]
) -> None:
    assert (derived_key(*first) == derived_key(*second)) == (first == second)


def test_a_key_never_changes_and_is_a_uuid() -> None:
    key = derived_key("U1", "main", "a", '{"to":"U2"}', 0)
    assert key == "c5010348-3528-58b1-9666-4f4fe84e988e", "two versions of the program must derive the same key"
    assert str(uuid.UUID(key)) == key
    assert (uuid.UUID(key).version, uuid.UUID(key).variant) == (5, uuid.RFC_4122)


def test_two_stores_have_the_same_key_for_a_push(store: Store, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        for each in (store, other):
            stage(each, "a")
        assert claim(store).key == claim(other, "other run").key


def test_a_claim_that_was_never_attempted_gets_the_same_key_again(store: Store) -> None:
    stage(store, "a")
    first = claim(store)
    later = request_claims(Ledger(store, "main", "later"))
    assert later.release_never_attempted() == 1
    assert claim(store, "third").key == first.key


def test_a_message_gets_another_key_after_each_request_that_line_did_not_accept(store: Store) -> None:
    stage(store, "a")
    keys = []
    for finish in ("return", "reject", "set aside", "return"):
        claimed = claim(store)
        keys.append(claimed.key)
        requests = claimed.claims.mark_attempted(claimed.requests)
        if finish == "return":
            claimed.claims.return_to_scheduled(requests)
        elif finish == "set aside":
            claimed.claims.set_aside(requests, "429")
            with store.write() as connection:
                connection.execute(tables.messages.update().values(due_at=None))
        else:
            claimed.claims.record_outcomes([RequestOutcome(each, MessageStatus.REJECTED, 1) for each in requests])
            stage(store, "a", text="corrected")
            stage(store, "a")
            assert claim(store, "unseen").key not in keys
            request_claims(Ledger(store, "main", "other")).release_never_attempted()
    assert len({*keys, claim(store).key}) == 5


def test_a_key_that_the_ledger_has_already_is_not_used_again(store: Store) -> None:
    stage(store, "a")
    key = claim(store).key
    with store.write() as connection:
        connection.execute(tables.messages.delete())
    stage(store, "a")
    assert claim(store).key != key


def test_multicasts_have_random_keys(store: Store, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        for each in (store, other):
            stage(each, "a", "b")
        assert claim(store, decide=send_to_own_person).key != claim(other, decide=send_to_own_person).key


def test_messages_to_test_recipients_have_random_keys(store: Store, tmp_path: Path) -> None:
    tests_only = SendingPolicy(test_recipients=(line_id(9),))
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        for each in (store, other):
            stage(each, "a")
        assert claim(store, policy=tests_only).key != claim(other, policy=tests_only).key


def test_a_multicast_that_is_split_ends_as_pushes_with_derived_keys(store: Store, tmp_path: Path) -> None:
    keys = []
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        for each in (store, other):
            stage(each, "a", "b")
            claimed = claim(each, decide=send_to_own_person)
            (multicast,) = claimed.claims.mark_attempted(claimed.requests)
            halves = claimed.claims.split_multicast(multicast, "bad")
            keys.append({half.retry_key for half in halves})
    assert keys[0] == keys[1]
    assert len(keys[0]) == 2


def test_cancelling_and_staging_again_keeps_keys_unique(store: Store) -> None:
    """The same message with changing content, rejected each time, never meets a key of the ledger."""
    seen: set[str] = set()
    for text in itertools.islice(itertools.cycle("xy"), 6):
        stage(store, "a", text=text)
        claimed = claim(store)
        assert claimed.key not in seen
        seen.add(claimed.key)
        outcomes = [
            RequestOutcome(replace(request, never_attempted=False), MessageStatus.REJECTED, 1)
            for request in claimed.claims.mark_attempted(claimed.requests)
        ]
        claimed.claims.record_outcomes(outcomes)
    with store.read() as connection:
        assert len(connection.execute(select(tables.requests.c.retry_key)).all()) == 6


@pytest.mark.parametrize(
    ("patches", "copies"), [({}, 1), (random_retry_keys.PATCHES, 2)], ids=["derived keys", "random keys"]
)
def test_the_same_records_of_two_stores_are_delivered_once_within_24_hours(
    sqlite_target: TargetProgram, tmp_path: Path, patches: dict[str, object], copies: int
) -> None:
    target = sqlite_target
    target.patches = patches
    people = target.line_ids(5)
    records = [
        ("messages", {"message_id": number, "line_id": person, "text": f"hello {number}"})
        for number, person in enumerate(people)
    ]
    new_ledger = "The ledger of channel main is new"
    assert target.run(*records).count(new_ledger) == 1
    assert new_ledger not in target.run(*records)
    target.advance_clock(23 * 3600)
    target.config["store_url"] = f"sqlite:///{tmp_path / 'other.db'}"
    assert target.run(*records).count(new_ledger) == 1
    assert Counter(delivery["line_id"] for delivery in target.deliveries()) == dict.fromkeys(people, copies)
    assert {row["status"] for row in target.ledger().values()} == {"accepted"}
