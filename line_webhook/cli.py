"""The program `tap-line-webhook`."""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from line_core.errors import LineError, SettingError
from line_core.store import open_store
from line_core.store.inbox import relay_queue
from line_webhook.background.retention import PAUSE_BETWEEN_STEPS_SECONDS, RetentionPurge
from line_webhook.settings import ENVIRONMENT_PREFIX, SETTING_NAMES, is_secret, setting_default, setting_description
from line_webhook.settings_sources import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from line_webhook.settings import ReceiverSettings

_EXTRA_PACKAGES = ("httptools", "prometheus_client", "starlette", "uvicorn")
_SECRETS = ", ".join(name for name in SETTING_NAMES if is_secret(name))
_EPILOG = (
    f"Each setting can also be set in the config file, or by the environment variable {ENVIRONMENT_PREFIX}<NAME>. "
    "Options override the environment, and the environment overrides the file."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="singer-line", prog_name="tap-line-webhook", message="%(prog)s %(version)s")
def cli() -> None:
    """Receive LINE's webhooks and store each event once, before the response."""


def _command(
    name: str, settings: Sequence[str], epilog: str = _EPILOG
) -> Callable[[Callable[[ReceiverSettings], None]], click.Command]:
    """Register a command that takes `--config` and an option for each of these settings."""

    def register(run: Callable[[ReceiverSettings], None]) -> click.Command:
        def callback(config: Path | None, **options: str | None) -> None:
            run(load_settings({name: text for name, text in options.items() if text}, os.environ, config))

        command = click.Command(
            name,
            callback=callback,
            params=[
                click.Option(
                    ["--config"], type=click.Path(path_type=Path), metavar="FILE", help="JSON file with settings"
                ),
                *map(_setting_option, settings),
            ],
            help=run.__doc__,
            epilog=epilog,
        )
        cli.add_command(command)
        return command

    return register


def _setting_option(name: str) -> click.Option:
    # The value stays text: `load_settings` converts and validates the values of all sources in the same way.
    default = setting_default(name)
    suffix = "" if default is None else f" (default: {default})"
    return click.Option([f"--{name.replace('_', '-')}"], metavar="VALUE", help=f"{setting_description(name)}{suffix}")


@_command(
    "serve",
    [name for name in SETTING_NAMES if not is_secret(name)],
    epilog=f"{_EPILOG} Settings that hold secrets have no option: {_SECRETS}.",
)
def serve(settings: ReceiverSettings) -> None:
    """Receive webhooks at /webhook/<channel>."""
    missing = next((name for name in _EXTRA_PACKAGES if find_spec(name) is None), None)
    if missing:
        raise LineError(f"the receiver needs {missing}: install the extra with pip install 'singer-line[webhook]'")
    from line_webhook import server  # noqa: PLC0415 - the web server is in an extra

    server.serve(settings)


@_command("purge", ["store_url", "inbox_retention_days", "inbox_purge_unread"])
def purge(settings: ReceiverSettings) -> None:
    """Remove old events now; `serve` does it every hour."""
    days = settings.inbox_retention_days
    if days is None:
        raise SettingError("missing: the age in days above which events are removed", setting="inbox_retention_days")
    removed = 0
    with open_store(settings.store_url, create=False) as store:
        retention = RetentionPurge(store, days, include_unread=settings.inbox_purge_unread)
        while (count := retention.step()) is not None:
            removed += count
            time.sleep(PAUSE_BETWEEN_STEPS_SECONDS)
    click.echo(f"{removed} events removed")


@_command("retry-relays", ["store_url"])
def retry_relays(settings: ReceiverSettings) -> None:
    """Relay the dead letters again, in their original order."""
    with open_store(settings.store_url, create=False) as store, store.write() as connection:
        revived = relay_queue.requeue_dead_letters(connection)
    click.echo(f"{revived} requests queued again")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit. Exit codes: 0 success, 1 failure, 2 wrong command line."""
    try:
        cli.main(arguments, prog_name="tap-line-webhook")
    except LineError as error:
        click.echo(f"tap-line-webhook: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
