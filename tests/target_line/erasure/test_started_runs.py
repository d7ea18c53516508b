"""A run that has started before an erasure stores nothing of the person."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from line_core.identity.model import Identifier, IdentifierKind
from line_core.store import open_store
from line_core.store.tables import identity, ledger
from line_core.store.tables.rejects import rejects
from target_line.erasure.person import erase_person
from target_line.identity.erased import NotErasedError, admit
from target_line.intake.rejects import Reject, save_rejects
from target_line.intake.roles import Role
from target_line.reasons import Reason
from target_line.run_context import RunContext
from target_line.settings import CONFIG_JSONSCHEMA
from target_line.sinks import LineSink, sink_class_of
from tests.support.people import line_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.identity.policy import MergePolicy

PERSON = Identifier(IdentifierKind.ID, "", "42")


@pytest.fixture
def run(store_url: str) -> Iterator[RunContext]:
    """A run that has started. The store has one person."""
    properties = CONFIG_JSONSCHEMA["properties"]
    defaults = {name: setting["default"] for name, setting in properties.items() if "default" in setting}
    context = RunContext.open({**defaults, "store_url": store_url})
    with context.store:
        batch(context, Role.PROFILES, {"id": "42", "email": "aoi@example.com", "line_id": line_id(1)})()
        yield context


def batch(run: RunContext, role: Role, *records: dict[str, Any]) -> Any:
    """Parse records, and return a function that saves them."""
    sink = object.__new__(sink_class_of(role))
    sink.run_context, sink.role, sink.stream_name = run, role, role.value
    sink._record_validator = None
    context: dict[str, Any] = {}
    for record in records:
        LineSink.process_record(sink, record, context)
    return lambda: LineSink.process_batch(sink, context)


def texts(run: RunContext) -> str:
    """Return what the store keeps of records, as text."""
    columns = (identity.clusters.c.evidence, identity.identifiers.c.value, ledger.messages.c.record, rejects.c.record)
    with run.store.read() as connection:
        return str([connection.execute(select(column)).all() for column in columns])


def test_records_that_were_parsed_before_the_erasure_are_not_stored(run: RunContext) -> None:
    saves = [
        batch(
            run,
            Role.PROFILES,
            {"id": 42, "city": "Osaka", "line_id": line_id(7), "unsubscribed": 1},
            {"id": "7", "email": "AOI@example.com", "city": "Kobe"},
        ),
        batch(run, Role.FOLLOWS, {"line_id": line_id(1), "type": "follow"}),
        batch(
            run,
            Role.MESSAGES,
            {"message_id": "1", "email": "aoi@example.com ", "text": "x"},
            {"message_id": "2", "id": "7", "text": "x"},
        ),
        batch(run, Role.PROFILES, {"id": 42.0, "updated_at": "never"}),
    ]
    erase_person(run.store, run.merge_policy, PERSON)
    for save in saves:
        save()
    other = Identifier(IdentifierKind.LINE_ID, "default", line_id(7))
    assert run.identity.find_profiles([other])[other].attributes == {"unsubscribed": 1}
    kept = texts(run).lower()
    assert "kobe" in kept, "a record of another person is stored without the erased email"
    for value in ("osaka", "aoi@example.com", line_id(1), "'42'", "42.0"):
        assert value.lower() not in kept
    assert {role: +outcomes for role, outcomes in run.report.outcomes.items()} == {
        Role.PROFILES: {"taken in": 2, "rejected (forgotten)": 1, "rejected (invalid_timestamp)": 1},
        Role.FOLLOWS: {"rejected (forgotten)": 1},
        Role.MESSAGES: {"rejected (forgotten)": 1},
    }
    with run.store.read() as connection:
        assert connection.scalars(select(ledger.messages.c.message_id)).all() == ["2"]


def test_a_reject_of_another_person_loses_only_the_erased_identifier(run: RunContext) -> None:
    erase_person(run.store, run.merge_policy, PERSON)
    with run.store.write() as connection:
        run.erased.refresh(connection)
    row = {"id": "7", "email": "Aoi@example.com", "city": "Kobe"}
    batch(run, Role.PROFILES, {**row, "updated_at": "never"}, {**row, "friend": "aoi@example.com", "id": None}, row)()
    with run.store.read() as connection:
        found = connection.execute(select(rejects.c.reason, rejects.c.record)).all()
    assert {(reason, record.get("id"), record.get("email")) for reason, record in found} == {
        ("forgotten", "7", None),
        ("forgotten", None, None),
        ("invalid_timestamp", "7", None),
    }


def test_an_erasure_waits_for_what_is_being_stored_and_erases_it(run: RunContext, store_url: str) -> None:
    erased = threading.Thread(target=erase_in_another_process, args=(store_url, run.merge_policy))
    with run.store.write() as connection:
        run.erased.refresh(connection)
        save_rejects(connection, "main", [Reject("profiles", {"id": 42}, Reason.INVALID_RECORD, "no")])
        erased.start()
        erased.join(0.3)
        assert erased.is_alive()
    erased.join(60)
    assert not erased.is_alive()
    assert "42" not in texts(run)


def erase_in_another_process(store_url: str, policy: MergePolicy) -> None:
    with open_store(store_url) as store:
        erase_person(store, policy, PERSON)


def test_an_admitted_person_is_accepted_again(run: RunContext) -> None:
    erase_person(run.store, run.merge_policy, PERSON)
    with pytest.raises(NotErasedError, match="the given id was not erased"):
        admit(run.store, [PERSON, Identifier(IdentifierKind.ID, "", "7")], "registered again")
    admit(run.store, [PERSON], "registered again")
    with run.store.write() as connection:
        run.erased.refresh(connection)
    batch(run, Role.PROFILES, {"id": "42", "city": "Kobe"}, {"email": "aoi@example.com"})()
    assert [profile.id for profile in run.identity.profiles()] == ["42"]
    with run.store.read() as connection:
        (admission,) = connection.execute(select(identity.admissions)).all()
    assert admission.reason == "registered again"
    assert admission.forgotten_at <= admission.admitted_at
    with pytest.raises(NotErasedError):
        admit(run.store, [PERSON], "once more")
