"""Output of rows: as a table for a terminal, or as one JSON object per line."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]

# What a stranger wrote must not control the terminal.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_MAX_CELL_WIDTH = 48
"""Terminal columns; a wide character takes two."""
_MAX_KEY_LENGTH = 70
"""Characters of a text without blanks, such as the hash of a plan, that is shown whole, so that it can be copied."""
_UNLIMITED_WIDTH = 100_000
"""Width of the output if it is not a terminal: a row is one line, however long."""


def as_json(row: Row) -> str:
    """Return the row as one line of JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def print_rows(rows: Iterable[Row], output_format: str) -> None:
    """Print rows.

    Args:
        rows: Rows with the same keys.
        output_format: `table` or `jsonl`.
    """
    if output_format == "table":
        _print_table(list(rows))
    else:
        for row in rows:
            print_json(row)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print a JSON value, in ASCII if standard output cannot encode it."""
    separators = None if indent else (",", ":")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    click.echo(text if _can_print(text) else json.dumps(value, indent=indent, separators=separators))


def print_line(text: str) -> None:
    """Print a text. Characters that standard output cannot encode are printed as escapes."""
    click.echo(text if _can_print(text) else text.encode("ascii", "backslashreplace").decode())


def _print_table(rows: list[Row]) -> None:
    """Print a table with a header; nested values as compact JSON, long values shortened."""
    if not rows:
        click.echo("(none)")
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    width = None if sys.stdout.isatty() else _UNLIMITED_WIDTH
    console = Console(width=width, highlight=False)
    console.print(table)


def _cell(value: object) -> Text:
    if value is None:
        return Text()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _CONTROL.sub("\ufffd", " ".join(text.split()))
    cell = Text(text if _can_print(text) else text.encode("ascii", "backslashreplace").decode())
    if " " in cell.plain or len(cell.plain) > _MAX_KEY_LENGTH:
        cell.truncate(_MAX_CELL_WIDTH, overflow="ellipsis")
    return cell


def _can_print(text: str) -> bool:
    """Return whether standard output can encode a text. No encoding has lone surrogates, and some have no emoji."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
