"""Erasure of one person whose identifiers are in evidence of other persons too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.policy import MergePolicy
from line_core.store.tables import identity as tables
from target_line.erasure import _body_without_recipients, erase_person
from target_line.identity.repository import IdentityRepository
from tests.support.people import follow, identify, line_id, separation

if TYPE_CHECKING:
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


def test_a_finished_multicast_keeps_its_other_recipients() -> None:
    body = json.dumps({"to": [line_id(1), line_id(2)], "messages": [{"type": "text", "text": "x"}]})
    assert json.loads(_body_without_recipients(body, [line_id(1)])) == {
        "to": [line_id(2)],
        "messages": [{"type": "text", "text": "x"}],
    }
    assert _body_without_recipients(body, [line_id(1), line_id(2)]) == "{}"
    push = json.dumps({"to": line_id(1), "messages": []})
    assert _body_without_recipients(push, [line_id(1)]) == "{}"
    named = json.dumps({"to": [line_id(1), line_id(2)], "messages": [{"type": "text", "text": line_id(1)}]})
    assert _body_without_recipients(named, [line_id(1)]) == "{}"
