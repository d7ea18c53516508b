"""The program `tap-line-webhook`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from line_core.errors import LineError, SettingError
from line_core.store import open_store
from line_core.store.inbox import relay_queue
from line_webhook.retention import STEP_PAUSE_SECONDS, Purge
from line_webhook.settings import ENVIRONMENT_PREFIX, Settings, is_secret, load_settings, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PURGE_SETTINGS = ("store_url", "inbox_retention_days", "inbox_purge_unread")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    options = vars(_parser().parse_args(arguments))
    run, config = options.pop("run"), options.pop("config")
    try:
        run(load_settings({name: value for name, value in options.items() if value is not None}, os.environ, config))
    except LineError as error:
        print(f"tap-line-webhook: {error}", file=sys.stderr)  # noqa: T201 - the program's last word
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-line-webhook", description="Receives LINE's webhooks and stores each event once, before it answers."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('singer-line')}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    serve = commands.add_parser("serve", help="receive webhooks at /webhook/<channel>")
    serve.set_defaults(run=_serve)
    _add_settings(serve, [name for name in Settings.__struct_fields__ if not is_secret(name)])
    secret = ", ".join(name for name in Settings.__struct_fields__ if is_secret(name))
    serve.epilog = f"{serve.epilog} Never by option, since they hold secrets: {secret}."

    purge = commands.add_parser("purge", help="remove old events now, as retention does every hour")
    purge.set_defaults(run=_purge)
    _add_settings(purge, _PURGE_SETTINGS)

    retry = commands.add_parser("retry-relays", help="relay the dead letters once more, in their order")
    retry.set_defaults(run=_retry_relays)
    _add_settings(retry, ["store_url"])
    return parser


def _add_settings(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    defaults = dict(zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True))
    parser.add_argument("--config", type=Path, metavar="FILE", help="JSON file with settings")
    for name in names:
        default = defaults[name]
        shown = "" if default is None else f" (default: {default})"
        text = f"{metadata(name).description}{shown}".replace("%", "%%")
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=text)
    parser.epilog = (
        f"Settings can also stand in the config file, or in the environment as {ENVIRONMENT_PREFIX}<NAME>; "
        "options win over the environment, and the environment over the file."
    )


def _serve(settings: Settings) -> None:
    try:
        from line_webhook.server import serve  # noqa: PLC0415 - the web server is an extra
    except ModuleNotFoundError as error:
        raise LineError(
            f"the receiver needs {error.name}: install the extra with pip install 'singer-line[webhook]'"
        ) from None
    serve(settings)


def _purge(settings: Settings) -> None:
    days = settings.inbox_retention_days
    if days is None:
        raise SettingError("how old may events become?", setting="inbox_retention_days")
    removed = 0
    with open_store(settings.store_url) as store:
        purge = Purge(store, days, unread=settings.inbox_purge_unread)
        while (count := purge.step()) is not None:
            removed += count
            time.sleep(STEP_PAUSE_SECONDS)
    print(f"{removed} events removed")  # noqa: T201 - the command's output


def _retry_relays(settings: Settings) -> None:
    with open_store(settings.store_url) as store, store.write() as connection:
        revived = relay_queue.requeue_dead_letters(connection)
    print(f"{revived} requests queued again")  # noqa: T201 - the command's output


if __name__ == "__main__":
    sys.exit(main())
