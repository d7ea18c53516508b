"""Situations that users of identity systems reported: who gets which message, which profiles and rejects exist."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest
import requests
from click.testing import CliRunner

from line_core.store import open_store
from target_line.admin import listings
from target_line.admin.cli import commands
from target_line.target import TargetLine
from tests.support.reported_faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.reported_faults import Fault, Record

_LINE_IDS_OF_A_FAULT = 9


@dataclass(frozen=True)
class Outcome:
    """What the store and the sandbox have after the runs of all faults with the same settings."""

    identities: list[dict[str, Any]]
    ledger: dict[str, dict[str, Any]]
    rejects: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]


def line_ids_of(fault: Fault, followers: list[str]) -> list[str]:
    start = FAULTS.index(fault) * _LINE_IDS_OF_A_FAULT
    return followers[start : start + _LINE_IDS_OF_A_FAULT]


def store_of(fault: Fault) -> str:
    return fault.name if fault.has_own_store else json.dumps(fault.settings)


def run(records: list[Record], config: dict[str, Any]) -> None:
    columns: dict[str, dict[str, Any]] = {}
    for stream, record in records:
        columns.setdefault(stream, {}).update({key: {} for key in record})
    lines: list[dict[str, Any]] = [
        {"type": "SCHEMA", "stream": stream, "schema": {"properties": names}, "key_properties": []}
        for stream, names in columns.items()
    ]
    lines += [{"type": "RECORD", "stream": stream, "record": record} for stream, record in records]
    TargetLine(config=config).listen(io.StringIO("".join(json.dumps(line) + "\n" for line in lines)))


def records_of(fault: Fault, records: list[Record], followers: list[str]) -> list[Record]:
    named = fault.with_names(records, line_ids_of(fault, followers))
    for stream, record in named:
        if stream == "messages" and isinstance(record["message_id"], str):
            record["message_id"] = f"{fault.name} {record['message_id']}"
    return [(stream, record) for stream, record in named]


@pytest.fixture(scope="module")
def followers(shared_sandbox: str) -> list[str]:
    requests.delete(f"{shared_sandbox}/sandbox/faults", timeout=10).raise_for_status()
    requests.post(f"{shared_sandbox}/sandbox/reset", timeout=10).raise_for_status()
    response = requests.get(f"{shared_sandbox}/sandbox/users", params={"limit": 1000}, timeout=30)
    line_ids: list[str] = response.json()["line_ids"]
    return line_ids


@pytest.fixture(scope="module")
def outcomes(
    shared_sandbox: str,
    followers: list[str],
    new_sqlite_store: Callable[[Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Outcome]:
    """The outcomes by store. Faults with the same settings share a store and its runs."""
    faults: dict[str, list[Fault]] = {}
    for fault in FAULTS:
        faults.setdefault(store_of(fault), []).append(fault)
    directory = tmp_path_factory.mktemp("stores")
    return {
        store: _outcome(together, new_sqlite_store(directory / f"{number}.db"), shared_sandbox, followers)
        for number, (store, together) in enumerate(faults.items())
    }


def _outcome(faults: list[Fault], store_url: str, sandbox: str, followers: list[str]) -> Outcome:
    config = {
        "store_url": store_url,
        "api_url": sandbox,
        "channel_access_token": "sandbox-token",
        **faults[0].settings,
    }
    for number, together in enumerate(zip_longest(*(fault.runs for fault in faults), fillvalue=[])):
        run(
            [
                record
                for fault, records in zip(faults, together, strict=True)
                for record in records_of(fault, records, followers)
            ],
            config,
        )
        for fault in faults if number == 0 else ():
            for arguments in fault.with_names(fault.commands, line_ids_of(fault, followers)):
                done = CliRunner().invoke(commands, ["--store-url", config["store_url"], *arguments])
                assert done.exit_code == 0, done.output
    printed = CliRunner().invoke(commands, ["--store-url", config["store_url"], "identities", "--format", "jsonl"])
    with open_store(config["store_url"]) as opened:
        ledger = {row["message_id"]: row for row in listings.deliveries(opened, "main")}
        rejects = list(listings.rejected_records(opened, "main"))
    deliveries = requests.get(f"{sandbox}/sandbox/deliveries", timeout=30).json()["deliveries"]
    return Outcome([json.loads(line) for line in printed.output.splitlines()], ledger, rejects, deliveries)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_reported_fault(fault: Fault, outcomes: dict[str, Outcome], followers: list[str]) -> None:
    outcome = outcomes[store_of(fault)]
    own = line_ids_of(fault, followers)
    texts = {delivery["retry_key"]: delivery["messages"][0]["text"] for delivery in outcome.deliveries}
    sent: dict[str, tuple[str, str] | str] = {}
    for name in fault.messages:
        row = outcome.ledger[f"{fault.name} {name}"]
        is_sent = row["status"] == "accepted"
        sent[name] = (f"L{own.index(row['line_id']) + 1}", texts[row["retry_key"]]) if is_sent else row["reason"]
    assert sent == fault.messages

    records = [record for run_ in fault.runs for _, record in records_of(fault, run_, followers)]
    rejects = Counter(
        row["reason"]
        for row in outcome.rejects
        if row["record"] and any(row["record"].items() <= record.items() for record in records)
    )
    for reason, number in fault.rejects.items():
        assert rejects[reason] == number, rejects

    texts_of_own = [*own, f"{fault.name}-", f"{fault.name}.example"]
    profiles = [row for row in outcome.identities if any(text in json.dumps(row) for text in texts_of_own)]
    if fault.number_of_profiles is not None:
        assert len(profiles) == fault.number_of_profiles, profiles
    for expected in fault.with_names(fault.profiles, own):
        assert any(expected.items() <= row.items() for row in outcome.identities), expected
