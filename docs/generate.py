"""Write the generated parts of the documentation: settings from the plugins' schemas, reason codes from the code.

In meltano.yml it writes the labels and descriptions of the plugins' settings.

`--check` writes nothing and fails if a page is not what it would write.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_line.tap import TapLine
from target_line.reasons import Reason
from target_line.target import TargetLine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.plugin_base import PluginBase

DOCS = Path(__file__).parent
# The SDK's own settings are the same in every plugin and documented there.
SDK_SETTINGS = re.compile(
    r"^(stream_maps?|stream_map_config|faker_config|flattening|batch_config|add_record|load_method)|"
    r"^(batch_size_rows|validate_records|process_activate)",
)


def settings_table(plugin: type[PluginBase]) -> Iterator[str]:
    """The plugin's own settings, a row each."""
    schema = plugin.config_jsonschema
    prefix = plugin.name.upper().replace("-", "_")
    yield "| setting | environment | default | what it does |"
    yield "|---|---|---|---|"
    for name, setting in schema["properties"].items():
        if SDK_SETTINGS.search(name):
            continue
        default = f"`{setting['default']}`" if setting.get("default") not in (None, {}, []) else ""
        kept = " Secret." if setting.get("secret") else ""
        needed = " **Required.**" if name in schema.get("required", []) else ""
        yield f"| `{name}` | `{prefix}_{name.upper()}` | {default} | {setting['description']}{kept}{needed} |"


def settings_page() -> str:
    """The page of all settings."""
    lines = [
        "# Settings",
        "",
        "Made by `make docs` from the plugins' own schemas. Each can stand in a JSON file (`--config FILE`), in",
        "`meltano.yml`, or in the environment (`--config ENV`, which Meltano uses). The SDK's settings, such as",
        "`stream_maps`, work too: `tap-line --about`.",
    ]
    for plugin in (TapLine, TargetLine):
        lines += ["", f"## {plugin.name}", "", *settings_table(plugin)]
    return "\n".join([*lines, ""])


def between_marks(page: str, name: str, table: list[str]) -> str:
    """The page with a table between its two marks of that name."""
    marked = re.compile(rf"(<!-- {name}.*?-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    return marked.sub(lambda marks: marks[1] + "\n".join(table) + "\n" + marks[2], page)


def reasons_table() -> list[str]:
    """Every reason code."""
    return ["| reason | meaning |", "|---|---|", *(f"| `{reason}` | {reason.description} |" for reason in Reason)]


def streams_table() -> list[str]:
    """Every stream of the tap."""
    rows = ["| stream | what a row is | primary key | replication |", "|---|---|---|---|"]
    for stream in catalog():
        keys = ", ".join(f"`{name}`" for name in stream["key_properties"])
        method = stream["replication_method"].lower().replace("_", " ")
        rows.append(
            f"| [`{stream['stream']}`](#{stream['stream']}) | {stream['schema']['description']} | {keys} | {method} |"
        )
    return rows


def columns_tables() -> list[str]:
    """Every stream's columns."""
    lines = []
    for stream in catalog():
        lines += ["", f"### {stream['stream']}", "", "| column | type | what it holds |", "|---|---|---|"]
        for name, column in stream["schema"]["properties"].items():
            kind = next(kind for kind in column["type"] if kind != "null")
            lines.append(f"| `{name}` | {column.get('format', kind)} | {column['description']} |")
    return lines


def catalog() -> list[dict[str, Any]]:
    """The tap's streams as discovery tells of them, by name."""
    tap = TapLine(config={}, validate_config=False, setup_mapper=False)
    streams: list[dict[str, Any]] = tap.catalog_dict["streams"]
    return sorted(streams, key=lambda stream: stream["stream"])


def meltano_project(project: str) -> str:
    """Return meltano.yml with the labels and descriptions of the plugins' schemas. All other lines stay unchanged."""
    schemas = {plugin.name: plugin.config_jsonschema["properties"] for plugin in (TapLine, TargetLine)}
    settings: dict[str, Any] = {}
    setting: dict[str, Any] = {}

    def updated(entry: re.Match[str]) -> str:
        nonlocal settings, setting
        indent, key, text = entry.groups()
        if indent == " " * 4 + "- ":
            settings, setting = schemas.get(text.strip(), {}), {}
        elif key == "name":
            setting = settings.get(text.strip(), {})
        elif setting:
            expected = setting["title" if key == "label" else "description"]
            if yaml.safe_load(text) != expected:
                return f"{indent}{key}: {json.dumps(expected, ensure_ascii=False)}\n"
        return entry[0]

    # Plugins have an indentation of 4 spaces, their settings of 8. A text can continue on lines that are indented more.
    return re.sub(
        r"^( {4}- | {8}- | {10})(name|label|description):((?: .*\n)(?: {11,}.*\n)*)",
        updated,
        project,
        flags=re.MULTILINE,
    )


def pages() -> dict[Path, str]:
    """Every page that is generated, in whole or in part."""
    sending, tap, meltano = DOCS / "sending.md", DOCS / "tap.md", DOCS.parent / "meltano.yml"
    return {
        meltano: meltano_project(meltano.read_text()),
        DOCS / "settings.md": settings_page(),
        sending: between_marks(sending.read_text(), "reasons", reasons_table()),
        tap: between_marks(between_marks(tap.read_text(), "streams", streams_table()), "columns", columns_tables()),
    }


def main() -> int:
    """Write the pages, or check them; the exit code."""
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.name} is not up to date: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in pages().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
