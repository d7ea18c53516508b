"""Erasure of one person whose identifiers are in evidence of other persons too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from line_core.consent import consent_of
from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.policy import MergePolicy
from line_core.identity.rules import resolve
from line_core.store.tables import identity as tables
from line_core.store.tables import ledger
from line_core.store.tables.rejects import rejects
from target_line.admin.store_check import check_store
from target_line.erasure.documents import body_without_person
from target_line.erasure.evidence import evidence_without_person
from target_line.erasure.mentions import Person
from target_line.erasure.person import erase_person, list_mentions
from target_line.identity.repository import IdentityRepository, UnknownPersonError
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.sending.ledger import Ledger
from tests.support.people import evidence_of, follow, histories, identify, line_id, separation
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from line_core.identity.model import Evidence, EvidenceRecord
    from line_core.store import Store


def test_other_persons_of_the_cluster_keep_their_evidence_without_the_erased_identifiers(store: Store) -> None:
    policy = MergePolicy()
    repository = IdentityRepository(store, policy)
    repository.ingest(
        [
            identify(at=1, id="a", email="a@example.com", line=1, plan="gold"),
            identify(at=2, id="b", email="b@example.com", line=1, plan="free"),
            identify(at=2, id="a", line=2),
            follow(1, at=1),
            follow(2, at=1),
            separation("b", "x@example.com"),
        ]
    )
    erase_person(store, policy, Identifier(IdentifierKind.ID, "", "a"))
    (profile,) = [profile for profile in repository.profiles() if profile.id]
    assert (profile.id, profile.email, profile.attributes) == ("b", "b@example.com", {"plan": "free"})
    assert [account.line_id for account in profile.line_accounts] == [line_id(1)]
    with store.read() as connection:
        encoded = "".join(connection.execute(select(tables.clusters.c.evidence)).scalars())
        values = set(connection.execute(select(tables.identifiers.c.value)).scalars())
        clusters = connection.execute(select(func.count()).select_from(tables.clusters)).scalar_one()
    assert "a@example.com" not in encoded
    assert line_id(2) not in encoded
    assert values == {"b", "b@example.com", line_id(1), "x@example.com"}
    assert clusters >= 1


def test_forgetting_leaves_no_identifier_without_a_cluster(store: Store) -> None:
    policy = MergePolicy(max_line_ids=1)
    repository = IdentityRepository(store, policy)
    repository.ingest([identify(at=1, id="a", line=1), identify(at=2, id="a", line=2)])
    erase_person(store, policy, Identifier(IdentifierKind.ID, "", "a"))
    assert list(check_store(store)) == []
    repository.ingest([identify(at=1, id="b", line=3)])
    repository.ingest([identify(at=3, id="c", line=1), identify(at=3, id="d", line=4)])
    assert sorted(profile.id or "" for profile in repository.profiles()) == ["b", "c", "d"]
    assert list(check_store(store)) == []


def test_an_opt_out_of_the_erased_person_still_applies_to_another_person(store: Store) -> None:
    repository = IdentityRepository(store, MergePolicy())
    email = "family@example.com"
    repository.ingest(
        [
            identify(at=1, id="b", email=email, line=1, unsubscribed="yes", city="Osaka"),
            identify(at=2, id="a", email=email),
        ]
    )
    erase_person(store, MergePolicy(), Identifier(IdentifierKind.ID, "", "b"))
    (profile,) = repository.profiles()
    assert (profile.id, profile.email, profile.attributes) == ("a", email, {"unsubscribed": "yes"})
    assert list(check_store(store)) == []


@pytest.mark.parametrize("owner", ["a", "b"])
def test_a_person_suppressed_through_records_of_the_erased_one_stays_so_until_a_later_no(
    store: Store, owner: str
) -> None:
    repository = IdentityRepository(store, MergePolicy())
    email = "family@example.com"
    opt_out: dict[str, Any] = {"email": email} if owner == "b" else {"id": "b"}
    repository.ingest(
        [
            identify(at=2 if owner == "a" else 1, id="a", email=email, line=1, unsubscribed="no"),
            identify(at=1 if owner == "a" else 2, id="b", email=email),
            identify(at=1, unsubscribed="b phoned us", **opt_out),
        ]
    )
    erase_person(store, MergePolicy(), Identifier(IdentifierKind.ID, "", "b"))
    (profile,) = repository.profiles()
    assert profile.attributes == {"unsubscribed": True}
    assert list(check_store(store)) == []
    repository.ingest([identify(at=3, id="a", unsubscribed=False)])
    (profile,) = repository.profiles()
    assert profile.attributes == {"unsubscribed": False}


@settings(max_examples=200, deadline=None)
@given(histories().filter(bool), st.data())
def test_an_erasure_ends_the_suppression_of_nobody_else(records: list[EvidenceRecord], data: st.DataObject) -> None:
    policy = MergePolicy()
    evidence = evidence_of(*records)
    profiles = resolve(evidence, policy).profiles
    assume(profiles)
    person = data.draw(st.sampled_from(profiles)).identifiers
    remaining = evidence_without_person(evidence, person, policy)

    def recipients(all_evidence: Evidence, *, suppressed: bool) -> set[Identifier]:
        resolution = resolve(all_evidence, policy)
        return {
            name
            for profile in (*resolution.profiles, *resolution.opted_out)
            if bool(consent_of(profile.attributes.get("unsubscribed"))) is suppressed
            for name in profile.identifiers
        }

    assert recipients(evidence, suppressed=True).isdisjoint(recipients(remaining, suppressed=False))
    assert remaining.identifiers().isdisjoint(person)


def test_an_identifier_that_identifies_nobody_is_no_person_to_erase(store: Store) -> None:
    policy = MergePolicy(max_people_per_line_id=2)
    repository = IdentityRepository(store, policy)
    repository.ingest([identify(at=1, id=name, line=1) for name in ("a", "b", "c")])
    with pytest.raises(UnknownPersonError, match="the given line_id identifies nobody"):
        erase_person(store, policy, Identifier(IdentifierKind.LINE_ID, "default", line_id(1)))
    erase_person(store, policy, Identifier(IdentifierKind.ID, "", "a"))
    assert sorted(profile.id or "" for profile in repository.profiles()) == ["b", "c"]
    assert list(check_store(store)) == []


def test_the_number_of_a_deleted_cluster_is_not_used_again(store: Store) -> None:
    repository = IdentityRepository(store, MergePolicy())
    numbers: list[int] = []
    for name in ("a", "b"):
        repository.ingest([identify(at=1, id=name)])
        with store.read() as connection:
            numbers += connection.scalars(select(tables.clusters.c.cluster_id)).all()
        erase_person(store, MergePolicy(), Identifier(IdentifierKind.ID, "", name))
    assert numbers == [1, 2]


def test_a_person_who_is_named_in_rejects_and_messages_only_is_erased(store: Store) -> None:
    email = Identifier(IdentifierKind.EMAIL, "", "aoi@example.com")
    records: list[dict[str, Any]] = [
        {"message_id": "1", "email": " AOI@example.com", "text": "x"},
        {"message_id": "2", "id": "7", "text": "x", "variables": {"rank": "aoi"}},
    ]
    of_run = Ledger(store, "main", "run")
    with store.write(lock="ledger") as connection:
        stage_records(connection, records, run_id=of_run.run_id)
        rejected = [{"id": True, "email": "\uff41oi@example.com"}, {"id": True, "email": "other@example.com"}]
        save_rejects(connection, "main", [Reject("profiles", item, Reason.INVALID_ID, "no") for item in rejected])
    assert [mention.table for mention in list_mentions(store, MergePolicy(), email)] == ["messages", "rejects"]
    erase_person(store, MergePolicy(), email)
    with store.read() as connection:
        messages = connection.execute(select(ledger.messages.c.message_id, ledger.messages.c.status)).all()
        assert dict(map(tuple, messages)) == {"1": "skipped", "2": "scheduled"}
        assert connection.scalars(select(rejects.c.record)).all() == [rejected[1]]
    with pytest.raises(UnknownPersonError):
        erase_person(store, MergePolicy(), email)
    assert list(check_store(store)) == []


def person(*lines: int) -> Person:
    return Person({Identifier(IdentifierKind.LINE_ID, "default", line_id(line)) for line in lines})


def test_a_finished_multicast_keeps_its_other_recipients() -> None:
    body = json.dumps({"to": [line_id(1), line_id(2)], "messages": [{"type": "text", "text": "x"}]})
    assert json.loads(body_without_person(body, person(1))) == {
        "to": [line_id(2)],
        "messages": [{"type": "text", "text": "x"}],
    }
    assert body_without_person(body, person(1, 2)) == "{}"
    push = json.dumps({"to": line_id(1), "messages": []})
    assert body_without_person(push, person(1)) == "{}"
    named = json.dumps({"to": [line_id(1), line_id(2)], "messages": [{"type": "text", "text": line_id(1)}]})
    assert body_without_person(named, person(1)) == "{}"
