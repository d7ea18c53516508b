"""Rows as a table and as JSON lines."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from target_line.admin.output import print_line, print_rows

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = [
    {"name": "山田　太郎", "count": 1, "attributes": {"city": "大阪"}},
    {"name": "Ren", "count": 12, "attributes": None},
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(rows: list[dict[str, object]], output_format: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_rows(rows, output_format)
    return capsys.readouterr().out.splitlines()


def test_columns_line_up_when_values_contain_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    header, _, *lines = printed(ROWS, "table", capsys)
    begin = header.index("count")
    counts = [line.split("  ") for line in lines]
    assert [cell_len(line[: line.index(str(row["count"]))]) for line, row in zip(lines, ROWS, strict=True)] == [
        begin,
        begin,
    ]
    assert counts[0][0] == "山田 太郎"


def test_a_long_value_is_shortened_in_a_table_and_whole_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [{"detail": "x" * 100, "reason": "a"}]
    *_, line = printed(rows, "table", capsys)
    assert line.split() == ["x" * 47 + "…", "a"]
    assert printed(rows, "jsonl", capsys) == ['{"detail":"' + "x" * 100 + '","reason":"a"}']


def test_a_row_is_one_line_when_the_output_is_not_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [{f"column_{number}": "x" * 40 for number in range(20)}]
    assert len(printed(rows, "table", capsys)) == 3


def test_a_table_fits_the_terminal_and_no_value_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")
    print_rows([{"line_id": "0123456789" * 3, "retry_key": "abcdefghij" * 3}], "table")
    lines = terminal.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 30
    assert "".join(line[:14].strip() for line in lines[2:]) == "0123456789" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "ascii"])
@pytest.mark.parametrize(
    "print_text",
    [
        lambda text: print_rows([{"name": text}], "table"),
        lambda text: print_rows([{"name": text, "more": {text: [text]}}], "jsonl"),
        print_line,
    ],
    ids=["table", "jsonl", "line"],
)
def test_every_text_can_be_printed_in_every_encoding(
    print_text: Callable[[str], None], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding=encoding, write_through=True))
    print_text("half \ud83d, 山, 👍")
    assert b"half " in output.getvalue()


def test_a_value_does_not_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    *_, line = printed([{"name": "\x1b[2Ja\x00\x9b"}], "table", capsys)
    assert line.strip() == "\ufffd[2Ja\ufffd\ufffd"
