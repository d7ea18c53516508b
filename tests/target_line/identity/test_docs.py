"""Run the examples of docs/identity.md."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from click.testing import CliRunner

from target_line.admin.cli import commands
from target_line.target import TargetLine

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[3] / "docs" / "identity.md").read_text()
_EXAMPLE = re.compile(r"```jsonl ?(?P<settings>.*)\n(?P<records>(?:.+\n)+)```\n\n```json\n(?P<profiles>(?:.+\n)+)```")


class Example(NamedTuple):
    """The settings and records of an example, and the profiles that it shows."""

    settings: dict[str, Any]
    records: list[dict[str, Any]]
    profiles: list[str]


def examples() -> Iterator[Example]:
    whole = re.sub("U…([0-9])", lambda short: f"U{int(short[1]):032x}", PAGE)
    for found in _EXAMPLE.finditer(whole):
        records = [json.loads(line) for line in found["records"].splitlines()]
        yield Example(json.loads(found["settings"] or "{}"), records, found["profiles"].splitlines())


def test_the_first_nine_rules_have_a_diagram_and_an_example_and_every_example_is_found() -> None:
    rules = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    assert len(rules) == 12
    assert all("```mermaid" in rule and "```jsonl" in rule for rule in rules[:9])
    assert len(list(examples())) == PAGE.count("```jsonl")


@pytest.mark.parametrize("example", list(examples()))
def test_the_records_of_an_example_result_in_its_profiles(example: Example, sqlite_url: str, tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    for record in example.records:
        stream = record.pop("stream")
        lines.append({"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []})
        lines.append({"type": "RECORD", "stream": stream, "record": record})
    file = tmp_path / "records.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with file.open() as records:
        TargetLine(config={"store_url": sqlite_url, **example.settings}).listen(records)
    printed = CliRunner().invoke(commands, ["--store-url", sqlite_url, "identities", "--format", "jsonl"]).output
    assert printed.splitlines() == example.profiles
