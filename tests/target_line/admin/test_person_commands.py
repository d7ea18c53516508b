"""Commands about persons and merges: explain, unmerge, forget, merges --preview."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select

from line_core.errors import LineError
from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.message_status import MessageStatus
from line_core.store.saved_policy import load_policy, save_policy
from line_core.store.tables import audience, ledger, metadata
from line_core.store.tables.inbox import events
from target_line.admin.cli import commands
from target_line.admin.person_lookup import parse_identifier
from target_line.identity.erased import ErasedIdentifiers
from target_line.identity.repository import IdentityRepository, UnknownPersonError
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.sending.claim.outcomes import RequestOutcome
from target_line.sending.decide.decisions import LineUser, Send
from target_line.sending.ledger import Ledger
from tests.support.ledger_claims import claim_due, request_claims, text_content
from tests.support.people import follow, identify, line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from line_core.store import Store
    from target_line.sending.claim.claims import ClaimResult, RequestClaims

EMAIL = "aoi@example.com"


@pytest.fixture
def identity(store: Store) -> IdentityRepository:
    """Two persons: Aoi (id 42, email, LINE ID) and Ren (id 43, LINE ID)."""
    repository = IdentityRepository(store, MergePolicy())
    repository.ingest([follow(1, at=1), follow(2, at=1)])
    repository.ingest([identify(at=2, id="42", email=EMAIL, line=1, name="Aoi")])
    repository.ingest([identify(at=3, id="43", line=2, name="Ren")])
    return repository


def run(store_url: str, *arguments: str, **how: Any) -> str:
    outcome = CliRunner().invoke(commands, ["--store-url", store_url, *arguments], catch_exceptions=False, **how)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize("named", ["42", "id:42", EMAIL, EMAIL.upper(), line_id(1), f"line_id:default/{line_id(1)}"])
def test_a_profile_is_explained_by_each_of_its_identifiers(store_url: str, named: str) -> None:
    explanation = json.loads(run(store_url, "explain", named, "--format", "json"))
    assert explanation["profile"] == "id:42"
    assert explanation["identifiers"] == [f"email:{EMAIL}", "id:42", f"line_id:default/{line_id(1)}"]
    assert [(merge["rule"], merge["into"]) for merge in explanation["merges"]] == [("anonymous_identified", "id:42")]
    assert explanation["canonical"] == {"default": {"line_id": line_id(1), "of": [line_id(1)]}}
    text = run(store_url, "explain", named)
    assert "id:42 is one person with" in text
    assert f"The LINE ID of provider default is {line_id(1)}." in text
    assert f"A message on channel main of provider default is sent to {line_id(1)}" in text


@pytest.mark.usefixtures("identity")
def test_explain_fails_for_an_unknown_identifier(store_url: str) -> None:
    with pytest.raises(LineError, match="no profile in the store has id:44"):
        run(store_url, "explain", "44")


@pytest.mark.parametrize(
    ("text", "error"), [("line_id:U1", "not U and 32 hexadecimal digits"), ("id:", "the identifier is empty")]
)
def test_an_invalid_identifier_is_an_error(text: str, error: str) -> None:
    with pytest.raises(UnknownPersonError, match=error):
        parse_identifier(text, "default")


@pytest.mark.usefixtures("identity")
def test_unmerge_undoes_a_merge_and_explain_shows_it(store_url: str) -> None:
    rows = [json.loads(line) for line in run(store_url, "merges", "--format", "jsonl").splitlines()]
    (merge,) = [row["merge_id"] for row in rows if row["survivor"] == "id:42"]
    header, _, *lines = run(store_url, "merges").splitlines()
    assert header.split() == ["merge", "when", "rule", "who", "into", "by", "undone"]
    assert any("anonymous_identified" in line and "id:42" in line for line in lines)
    run(store_url, "unmerge", str(merge), "--yes")
    assert "separate: " in run(store_url, "explain", "42")
    assert len(run(store_url, "identities", "--format", "jsonl").splitlines()) == 3
    with pytest.raises(LineError, match="undone already"):
        run(store_url, "unmerge", str(merge), "--yes")


@pytest.mark.usefixtures("identity")
def test_the_preview_of_a_file_lists_its_merges_and_changes_nothing(store_url: str, tmp_path: Path) -> None:
    before = run(store_url, "identities", "--format", "jsonl")
    file = tmp_path / "records.jsonl"
    file.write_text(
        '{"type": "SCHEMA", "stream": "profiles", "schema": {}, "key_properties": []}\n'
        f'{{"type": "RECORD", "stream": "profiles", "record": {{"id": "43", "email": "{EMAIL}"}}}}\n'
        f'{{"id": "43", "line_id": "{line_id(1)}", "updated_at": "2026-01-02"}}\n'
    )
    rows = map(json.loads, run(store_url, "merges", "--preview", str(file), "--format", "jsonl").splitlines())
    assert sorted((row["rule"], row["who"], row["into"], row["by"]) for row in rows) == [
        ("identifier_moved", "id:42", "id:43", f"line_id:default/{line_id(1)}"),
        ("identifier_moved", "id:43", "id:42", f"email:{EMAIL}"),
        ("identifier_superseded", f"line_id:default/{line_id(2)}", "id:43", f"line_id:default/{line_id(1)}"),
    ]
    assert run(store_url, "identities", "--format", "jsonl") == before


@pytest.mark.usefixtures("identity")
def test_the_preview_reads_records_as_a_run_and_reports_bad_lines_one_by_one(store_url: str, tmp_path: Path) -> None:
    file, config = tmp_path / "records.jsonl", tmp_path / "config.json"
    file.write_text(
        f'{{"id": "43", "email": "{EMAIL}"}}\n'
        '{"id": null}\n'
        '{"type": "STATE", "value": {}}\n'
        '{"id"\n'
        "[]\n"
        f'{{"id": "guest", "line_id": "{line_id(1)}"}}\n'
        f'{{"id": "44", "email": "{EMAIL}", "updated_at": "soon"}}\n'
        '{"type": "RECORD", "stream": "orders", "record": {}}\n'
        f'{{"type": "RECORD", "stream": "follows", "record": {{"line_id": "{line_id(9)}", "type": "follow"}}}}\n'
        f'{{"type": "RECORD", "stream": "messages", "record": {{"message_id": "1"}}}}\n'
        f'{{"id": "45", "line_id": "{line_id(9)}"}}\n'
    )
    config.write_text(json.dumps({"junk_identifiers": ["guest"], "store_url": store_url}))
    outcome = CliRunner().invoke(
        commands,
        ["--store-url", store_url, "merges", "--preview", str(file), "--config", str(config), "--format", "jsonl"],
        catch_exceptions=False,
    )
    assert outcome.exit_code == 0
    assert sorted((row["rule"], row["who"]) for row in map(json.loads, outcome.stdout.splitlines())) == [
        ("anonymous_identified", f"line_id:default/{line_id(9)}"),
        ("identifier_moved", "id:43"),
    ]
    lines = [line.partition(": ")[0] for line in outcome.stderr.splitlines()]
    assert lines == ["line 2 would be rejected", "line 4", "line 5", "line 6", "line 7 would be rejected", "line 8"]


def dump(store: Store) -> str:
    """Return all rows of all tables as text."""
    with store.read() as connection:
        return "\n".join(str(row) for table in metadata.sorted_tables for row in connection.execute(select(table)))


def claim(claims: RequestClaims, ledger: Ledger, to: Mapping[str, str]) -> ClaimResult:
    """Claim all due messages. They are sent to the LINE IDs that `to` has by message id."""
    return claim_due(claims, ledger, lambda due: Send(LineUser(to[due.message_id]), text_content("x")))


def fill_all_tables(store: Store) -> None:
    """Insert Aoi, and Ren, into every table that can contain a person."""
    now = datetime.now(UTC)
    run_of = Ledger(store, "main", "run")
    claims = request_claims(run_of)
    records: list[dict[str, Any]] = [
        {"message_id": "1", "email": EMAIL.upper(), "text": "x"},
        {"message_id": "2", "id": 42, "text": "x"},
        {"message_id": "3", "line_id": line_id(2), "text": "x"},
    ]
    with store.write(lock="ledger") as connection:
        stage_records(connection, records, run_id=run_of.run_id)
    to = {"1": line_id(1), "2": line_id(3), "3": line_id(2)}
    claimed = claim(claims, run_of, to)
    claims.record_outcomes([RequestOutcome(request, MessageStatus.ACCEPTED, 1, "r") for request in claimed.requests])
    late = {"message_id": "4", "id": "42", "text": "later", "send_at": "2999-01-01"}
    with store.write() as connection:
        stage_records(connection, [late], run_id=run_of.run_id)
        save_rejects(connection, "main", [Reject("profiles", {"id": 42, "x": 1}, Reason.INVALID_RECORD, "no")])
        connection.execute(insert(audience.contacts).values(channel="main", line_id=line_id(1)))
        finding = {"channel": "main", "line_id": line_id(1), "finding": "listed", "found_at": now}
        connection.execute(insert(audience.findings).values(finding))
        event = {
            "channel": "main",
            "webhook_event_id": "e1",
            "type": "follow",
            "occurred_at": now,
            "received_at": now,
            "line_id": line_id(1),
            "payload": json.dumps({"source": {"userId": line_id(1)}}),
        }
        connection.execute(insert(events).values(event))
        plan = {"channel": "main", "plan_hash": "h", "made_at": now, "summary": {"to": line_id(1)}}
        connection.execute(insert(ledger.plans).values(plan))


@pytest.mark.usefixtures("identity")
def test_forget_erases_a_person_from_all_tables_and_keeps_other_persons(store: Store, store_url: str) -> None:
    fill_all_tables(store)
    assert EMAIL in dump(store)
    output = run(store_url, "forget", EMAIL, "--yes")
    assert "identifiers: 3" in output
    remaining = dump(store).lower()
    for identifier in (EMAIL, line_id(1), '"42"', "'42'", '"id": 42', "'id': 42", "id:42"):
        assert identifier.lower() not in remaining
    assert line_id(2).lower() in remaining
    (ren,) = map(json.loads, run(store_url, "identities", "--format", "jsonl").splitlines())
    assert ren["id"] == "43"
    with store.read() as connection:
        rows = connection.execute(select(ledger.messages.c.message_id, ledger.messages.c.status))
        assert dict(rows.all()) == {"1": "accepted", "2": "accepted", "3": "accepted", "4": "skipped"}
    erased = ErasedIdentifiers(store)
    assert Identifier(IdentifierKind.ID, "", "42") in erased
    assert Identifier(IdentifierKind.LINE_ID, "default", line_id(1)) in erased
    assert Identifier(IdentifierKind.LINE_ID, "default", line_id(2)) not in erased
    with pytest.raises(LineError, match="no profile in the store"):
        run(store_url, "forget", EMAIL, "--yes")


@pytest.mark.usefixtures("identity")
def test_forget_fails_while_a_message_to_the_person_is_being_sent(store: Store, store_url: str) -> None:
    of_run = Ledger(store, "main", "run")
    record = {"message_id": "1", "id": "42", "text": "x"}
    with store.write(lock="ledger") as connection:
        stage_records(connection, [record], run_id=of_run.run_id)
    claims = request_claims(of_run)
    claim(claims, of_run, {"1": line_id(1)})
    with pytest.raises(LineError, match="run target-line to its end first"):
        run(store_url, "forget", "42", "--yes")
    assert "id:42 is one person" in run(store_url, "explain", "42")


def test_explain_names_the_reason_if_an_email_is_shared(store: Store, store_url: str) -> None:
    policy = MergePolicy(max_people_per_email=2)
    save_policy(store, policy)
    shared = [identify(at=1, id=str(number), email="info@example.com") for number in range(3)]
    IdentityRepository(store, policy).ingest(shared)
    with pytest.raises(LineError, match="identifies nobody: More people claim the email than max_people_per_email"):
        run(store_url, "explain", "info@example.com")


@pytest.mark.usefixtures("identity")
def test_forget_asks_for_confirmation(store: Store, store_url: str) -> None:
    outcome = CliRunner().invoke(commands, ["--store-url", store_url, "forget", "42"], input="n\n")
    assert outcome.exit_code == 1
    assert EMAIL in dump(store)


def test_the_merge_policy_of_the_last_run_is_saved_and_loaded(store: Store) -> None:
    assert load_policy(store) == MergePolicy()
    assert save_policy(store, MergePolicy()) is False
    other = MergePolicy(conflict=IdentifierConflict.FIRST, opt_outs=("no_line",), max_line_ids=3)
    assert save_policy(store, other) is True
    assert load_policy(store) == other
    assert save_policy(store, other) is False
