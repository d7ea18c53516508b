"""The program `tap-line-webhook`."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from line_core.errors import LineError
from tap_line.webhook.settings import ENVIRONMENT_PREFIX, Settings, is_secret, load_settings, metadata

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    options = vars(_parser().parse_args(arguments))
    del options["command"]
    config = options.pop("config")
    try:
        settings = load_settings({name: value for name, value in options.items() if value}, os.environ, config)
        _serve(settings)
    except LineError as error:
        print(f"tap-line-webhook: {error}", file=sys.stderr)  # noqa: T201 - the program's last word
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-line-webhook", description="Receives LINE's webhooks and stores each event once, before it answers."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('singer-line')}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve",
        help="receive webhooks at /webhook/<channel>",
        epilog=f"Each setting can also stand in the config file, or in the environment as {ENVIRONMENT_PREFIX}<NAME>. "
        f"Secrets only there: {', '.join(name for name in Settings.__struct_fields__ if is_secret(name))}.",
    )
    serve.add_argument("--config", type=Path, metavar="FILE", help="JSON file with settings")
    for name, default in zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True):
        if not is_secret(name):
            shown = "" if default is None else f" (default: {default})"
            help_text = f"{metadata(name).description}{shown}".replace("%", "%%")
            serve.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=help_text)
    return parser


def _serve(settings: Settings) -> None:
    try:
        from tap_line.webhook.server import serve  # noqa: PLC0415 - the web server is an extra
    except ModuleNotFoundError as error:
        raise LineError(
            f"the receiver needs {error.name}: install the extra with pip install 'singer-line[webhook]'"
        ) from None
    serve(settings)


if __name__ == "__main__":
    sys.exit(main())
