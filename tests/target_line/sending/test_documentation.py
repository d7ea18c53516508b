"""The columns and settings that the code reads are documented; these tests name a forgotten step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from target_line.sending.policy import sending_policy_from_config
from target_line.sending.read.cancellation import DELETION_COLUMNS, cancellation_in_message
from target_line.sending.read.message import MESSAGE_COLUMNS, parse_message
from target_line.settings import CONFIG_JSONSCHEMA

DOCS = Path(__file__).parents[3] / "docs"


class RecordingMapping(Mapping[str, Any]):
    """A mapping that records the names of the values that are read from it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.read.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def test_docs_list_exactly_the_columns_that_a_message_record_can_have() -> None:
    record = RecordingMapping({"message_id": "m", "id": "a", "text": "x"})
    cancellation_in_message(record)
    parse_message(record, "default")
    record.read -= set(DELETION_COLUMNS)
    page = (DOCS / "sending.md").read_text()
    table = page[page.index("## Columns") :].partition("\n\nExactly one")[0]
    documented = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall("`([a-z_]+)`", row.split("|")[1])
    }
    assert documented == record.read, "a column must be in docs/sending.md, and in target_line/sending/read"
    assert record.read == MESSAGE_COLUMNS, "a column must be in MESSAGE_COLUMNS, or a warning says that it is ignored"


def test_every_sending_setting_that_is_read_is_in_the_schema() -> None:
    properties = CONFIG_JSONSCHEMA["properties"]
    config = RecordingMapping({name: setting.get("default") for name, setting in properties.items()})
    sending_policy_from_config(config)
    assert config.read <= properties.keys(), "a setting must be in target_line/settings.py"
    mentioned = set(re.findall("`([a-z_]+)", "".join(page.read_text() for page in DOCS.glob("*.md"))))
    assert config.read <= mentioned, "run `make docs`"
