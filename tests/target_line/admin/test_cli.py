"""`target-line-admin`: listings, status, upgrade, help."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from line_core.identity.policy import MergePolicy
from line_core.store.schema_version import SCHEMA_VERSION
from target_line.admin.cli import commands
from target_line.admin.commands import erasure, listing, maintenance, person
from target_line.identity.repository import IdentityRepository
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from tests.support.people import follow, identify, line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from line_core.store import Store


@pytest.fixture
def filled_store(store: Store) -> Store:
    identity = IdentityRepository(store, MergePolicy())
    identity.ingest([follow(1, at=1), follow(2, at=1)])
    identity.ingest([identify(at=2, id="a", email="a@example.com", line=1, name="Aoi")])
    with store.write(lock="ledger") as connection:
        record = {"message_id": "m1", "id": "a", "text": "x"}
        stage_records(connection, [record])
        reject = Reject("crm-profiles", {"id": None}, Reason.NO_IDENTIFIER, "detail")
        save_rejects(connection, "main", [reject])
        save_rejects(connection, "main", [reject])
    return store


def run(store_url: str, *arguments: str) -> str:
    outcome = CliRunner().invoke(commands, ["--store-url", store_url, *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


@pytest.mark.usefixtures("filled_store")
def test_identities_are_sorted_lines_without_keys_of_the_store(store_url: str) -> None:
    printed = run(store_url, "identities", "--format", "jsonl")
    assert printed.splitlines() == sorted(printed.splitlines())
    anonymous, customer = map(json.loads, sorted(printed.splitlines(), key=lambda line: "Aoi" in line))
    assert customer == {
        "id": "a",
        "email": "a@example.com",
        "line_id": line_id(1),
        "line_ids": [{"line_id": line_id(1), "follow_state": "following"}],
        "attributes": {"name": "Aoi"},
        "aliases": {"ids": [], "emails": []},
    }
    assert (anonymous["id"], anonymous["line_id"]) == (None, line_id(2))


@pytest.mark.usefixtures("filled_store")
@pytest.mark.parametrize(
    ("listing", "shown"),
    [
        ("merges", {"rule": "anonymous_identified", "survivor": "id:a"}),
        ("deliveries", {"message_id": "m1", "status": "scheduled", "attempts": 0}),
        ("rejects", {"stream": "crm-profiles", "reason": "no_identifier", "times_seen": 2}),
    ],
)
def test_a_listing_has_one_line_per_row(
    store_url: str,
    listing: str,
    shown: dict[str, object],
) -> None:
    (line,) = run(store_url, listing, "--format", "jsonl").splitlines()
    assert shown.items() <= json.loads(line).items()
    assert str(next(iter(shown.values()))) in run(store_url, listing)


@pytest.mark.usefixtures("filled_store")
def test_status_counts_rows(store_url: str) -> None:
    counts = json.loads(run(store_url, "status", "--format", "jsonl"))
    assert counts == {"events": 0, "identifiers": 4, "merges": 1, "rejects": 1, "messages scheduled": 1}


def test_an_empty_table_is_printed_as_none(store_url: str) -> None:
    assert run(store_url, "merges") == "(none)\n"


def test_upgrade_prints_the_schema_versions(empty_database_url: str) -> None:
    assert run(empty_database_url, "upgrade") == f"schema none → {SCHEMA_VERSION}\n"
    assert run(empty_database_url, "upgrade") == f"schema {SCHEMA_VERSION}\n"


@pytest.mark.parametrize("command", sorted(commands.commands))
def test_every_command_has_help(command: str) -> None:
    assert "Usage:" in CliRunner().invoke(commands, [command, "--help"]).output


@pytest.mark.parametrize("module", [listing, person, erasure, maintenance])
def test_every_command_of_a_module_is_registered(module: ModuleType) -> None:
    defined = {value for value in vars(module).values() if isinstance(value, click.Command)}
    missing = sorted(str(command.name) for command in defined - set(commands.commands.values()))
    assert not missing, f"add {missing} to the tuple of commands at the end of {module.__name__}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("identities",),
        ("deliveries",),
        ("rejects",),
        ("runs",),
        ("explain", "a"),
        ("cancel", "--message-id", "m"),
        ("forget", "a", "--yes"),
        ("replay-rejects",),
        ("reconcile",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_command_creates_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TARGET_LINE_CHANNEL_ACCESS_TOKEN", "token")
    file = tmp_path / "mistyped.db"
    outcome = CliRunner().invoke(commands, ["--store-url", f"sqlite:///{file}", *arguments])
    assert "there is no store at" in str(outcome.exception)
    assert not file.exists()
