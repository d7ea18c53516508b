"""The store keeps its invariants, whatever is stored, corrected, taken back and erased in whatever order."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from line_core.errors import LineError
from line_core.identity.model import Claim, Evidence
from line_core.store import open_store
from line_core.store.tables import identity as tables
from line_core.store.tables.rejects import rejects
from target_line.admin.store_check import check_store
from target_line.erasure.person import erase_person
from target_line.identity.corrections import IdentityCorrections
from target_line.identity.erased import ErasedIdentifiers
from target_line.identity.repository import IdentityRepository
from tests.support import people

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from line_core.identity.model import EvidenceRecord
    from line_core.identity.policy import MergePolicy
    from line_core.store import Store
    from target_line.identity.correction_plans import CorrectionPlan


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store for all examples; each example deletes the rows of the one before."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory() as directory, open_store(f"sqlite:///{directory}/store.db") as store:
            yield store
    else:
        with open_store(request.getfixturevalue("postgres").url("postgres")) as store:
            yield store


def correct(store: Store, policy: MergePolicy, claims: list[Claim], data: st.DataObject) -> None:
    """Make a correction, or take one back, if the drawn one is possible."""
    corrections = IdentityCorrections(store, policy)
    with store.read() as connection:
        numbers = [*sorted(connection.scalars(select(tables.merges.c.merge_id))), 0]
    number, claim = data.draw(st.sampled_from(numbers)), data.draw(st.sampled_from(claims))
    plans: list[Callable[[], CorrectionPlan]] = [
        lambda: corrections.plan_unmerge(number),
        lambda: corrections.plan_undo(number),
        lambda: corrections.plan_detach(claim.identifiers[-1]),
        lambda: corrections.plan_withdraw(claim.identifiers, claim.last_at),
    ]
    try:
        plan = data.draw(st.sampled_from(plans))()
        after = corrections.effect(plan).after
        corrections.apply(plan)
    except LineError:
        return
    stored = list(IdentityRepository(store, policy).profiles())
    assert all(profile in stored for profile in after), "the effect that was shown is the one that was stored"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(people.histories(), people.policies(), st.data())
def test_the_store_keeps_its_invariants(
    shared_store: Store, history: list[EvidenceRecord], policy: MergePolicy, data: st.DataObject
) -> None:
    with shared_store.write() as connection:
        for table in (tables.identifiers, tables.clusters, tables.merges, tables.forgotten, rejects):
            connection.execute(delete(table))
    repository = IdentityRepository(shared_store, policy, erased=ErasedIdentifiers(shared_store))
    evidence = Evidence()
    for record in history:
        evidence.add(record)
    names = sorted(evidence.identifiers())
    claims = [record for record in history if isinstance(record, Claim)]
    rest = history
    while rest:
        size = data.draw(st.integers(min_value=1, max_value=len(rest)))
        repository.ingest(rest[:size])
        rest = rest[size:]
        if claims:
            correct(shared_store, policy, claims, data)
        if data.draw(st.booleans()):
            name = data.draw(st.sampled_from(names))
            try:
                erase_person(shared_store, policy, name)
            except LineError:
                continue
            with shared_store.read() as connection:
                kept = str(connection.execute(select(tables.clusters.c.evidence)).all())
            assert f'"{name.value}"' not in kept
    assert list(check_store(shared_store)) == []
