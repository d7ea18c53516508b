"""`target-line-admin`: looks into the store of tap-line and target-line, and mends it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from click.core import ParameterSource

from line_core.errors import LineError
from line_core.store import DEFAULT_STORE_URL, Store, open_store, upgrade_store
from line_core.store.identity_policy import load_policy
from target_line.admin import listings, people
from target_line.identity.repository import IdentityRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from target_line.target import TargetLine

_format = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="table for people, jsonl for programs: one JSON object a line.",
)
_config = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="JSON file of target-line's settings; those in its environment variables count too.",
)
_DAY = click.DateTime(["%Y-%m-%d"])


class Admin:
    """The options that all commands share."""

    def __init__(self, store_url: str, channel: str, provider: str, given: Mapping[str, str]) -> None:
        """Keep the options; the store is opened when a command needs it.

        Args:
            store_url: The store.
            channel: The channel's name.
            provider: The provider's name.
            given: Those of them that somebody gave, by name.
        """
        self.store_url = store_url
        self.channel = channel
        self.provider = provider
        self._given = given

    def open(self) -> Store:
        """Open the store."""
        return open_store(self.store_url)

    def target(self, config_path: Path | None) -> TargetLine:
        """The target, with its settings as far as these options do not say otherwise."""
        from target_line.admin.target_config import configured_target  # noqa: PLC0415 - the SDK is slow to import

        return configured_target(config_path, self._given)


@click.group()
@click.option(
    "--store-url",
    envvar=["TARGET_LINE_STORE_URL", "TAP_LINE_STORE_URL"],
    default=DEFAULT_STORE_URL,
    show_default=True,
    help="The store; better by environment if it holds a password.",
)
@click.option("--channel", envvar="TARGET_LINE_CHANNEL", default="main", show_default=True, help="Your channel's name.")
@click.option(
    "--provider",
    envvar="TARGET_LINE_PROVIDER",
    default="default",
    show_default=True,
    help="Your name for the provider above the channel.",
)
@click.version_option(package_name="singer-line")
@click.pass_context
def commands(context: click.Context, store_url: str, channel: str, provider: str) -> None:
    """Look into the store of tap-line and target-line."""
    options = {"store_url": store_url, "channel": channel, "provider": provider}
    given = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    context.obj = Admin(**options, given=given)


@commands.command()
@_format
@click.pass_obj
def identities(admin: Admin, form: str) -> None:
    """People: one row a surviving profile, the same for the same people."""
    with admin.open() as store:
        _print(listings.identities(IdentityRepository(store, load_policy(store)), admin.provider), form)


@commands.command()
@click.option(
    "--preview",
    "file",
    type=click.File(encoding="utf-8"),
    help="A file of profile records, one a line, or a tap's output: what it would merge; nothing is changed.",
)
@_format
@click.pass_obj
def merges(admin: Admin, file: TextIO | None, form: str) -> None:
    """Who went into whom, by which rule, and what they were before."""
    with admin.open() as store:
        if file:
            _print(people.preview(store, file, admin.provider), form)
        else:
            rows = listings.merges(store)
            _print(rows if form == "jsonl" else map(listings.short_merge, rows), form)


@commands.command()
@click.argument("identifier")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def explain(admin: Admin, identifier: str, form: str) -> None:
    """Why a person is who they are: an id, email or LINE ID; or id:…, email:…, line_id:… to be exact."""
    with admin.open() as store:
        told, words = people.explained(store, people.identifier_named(identifier, admin.provider))
        for line in [json.dumps(told, ensure_ascii=False, indent=2)] if form == "json" else words:
            click.echo(line)


@commands.command()
@click.argument("merge_id", type=int)
@click.pass_obj
def unmerge(admin: Admin, merge_id: int) -> None:
    """Undo a merge or move, by its number in `merges`; it stays undone, whatever records come again."""
    with admin.open() as store:
        people.unmerge(store, admin.channel, merge_id)
    click.echo(f"merge {merge_id} is undone")


@commands.command()
@click.argument("identifier")
@click.confirmation_option("--yes", prompt="This cannot be undone. Erase the person everywhere?")
@click.pass_obj
def forget(admin: Admin, identifier: str) -> None:
    """Erase a person from inbox, identity, ledger and rejects, and refuse them from now on."""
    with admin.open() as store:
        erased = people.forgotten(store, people.identifier_named(identifier, admin.provider))
    for name, count in sorted(erased.items()):
        click.echo(f"{name}: {count:,}")


@commands.command()
@_format
@click.pass_obj
def deliveries(admin: Admin, form: str) -> None:
    """The ledger: what became of each message."""
    with admin.open() as store:
        _print(listings.deliveries(store, admin.channel), form)


@commands.command()
@_format
@click.pass_obj
def rejects(admin: Admin, form: str) -> None:
    """Refused records, whole, with the reason."""
    with admin.open() as store:
        _print(listings.refused(store, admin.channel), form)


@commands.command()
@_format
@click.pass_obj
def runs(admin: Admin, form: str) -> None:
    """What each run of target-line did with its records."""
    with admin.open() as store:
        _print(listings.runs(store, admin.channel), form)


@commands.command()
@_format
@click.pass_obj
def plans(admin: Admin, form: str) -> None:
    """What runs with mode plan said would be sent."""
    with admin.open() as store:
        _print(listings.plans(store, admin.channel), form)


@commands.command()
@_format
@click.pass_obj
def status(admin: Admin, form: str) -> None:
    """How much of everything the store holds."""
    with admin.open() as store:
        row = listings.status(store, admin.channel)
    _print([row] if form == "jsonl" else ({"what": name, "count": f"{row[name]:,}"} for name in row), form)


@commands.command()
@click.option("--reason", help="Only records that were refused for this reason.")
@click.option("--stream", help="Only records of this stream.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many records.")
@_config
@_format
@click.pass_obj
def replay_rejects(  # noqa: PLR0913, PLR0917 - the command's options
    admin: Admin, reason: str | None, stream: str | None, limit: int | None, config_path: Path | None, form: str
) -> None:
    """Try refused records again, after a fix; messages are sent by the next run."""
    from target_line.admin.reject_replay import RejectFilter, RejectReplay  # noqa: PLC0415 - the SDK is slow to import

    target = admin.target(config_path)
    with target.run_context.store:
        replay = RejectReplay(target.run_context, target.config["stream_roles"])
        outcomes = replay.run(RejectFilter(reason, stream, limit))
    _print(({"outcome": outcome, "count": count} for outcome, count in outcomes.items()), form)


@commands.command()
@click.option("--from", "first", type=_DAY, help="First day; default the ledger's first, at most 30 days ago.")
@click.option("--to", "last", type=_DAY, help="Last day; default today.")
@_config
@_format
@click.pass_obj
def reconcile(admin: Admin, first: datetime | None, last: datetime | None, config_path: Path | None, form: str) -> None:
    """Hold the ledger against LINE's counts of each day (UTC+9), and of the month; fails if a settled day differs."""
    from target_line.admin import reconciliation as figures  # noqa: PLC0415 - the SDK is slow to import

    target = admin.target(config_path)
    with target.run_context.store as store:
        days = figures.days_between(store, target.run_context.channel, first and first.date(), last and last.date())
        compared = asyncio.run(figures.compare(store, target.config, days))
    _print((row.as_row() for row in compared if not row.is_empty), form)
    if error := figures.difference(compared):
        raise error


@commands.command()
@click.pass_obj
def upgrade(admin: Admin) -> None:
    """Bring the store's schema to this version."""
    before, after = upgrade_store(admin.store_url)
    click.echo(f"schema {after}" if before == after else f"schema {before or 'none'} → {after}")


def _print(rows: Iterable[listings.Row], form: str) -> None:
    for line in listings.as_table(rows) if form == "table" else map(listings.as_json, rows):
        click.echo(line)


def main() -> None:
    """Run the command; an error that a user can mend is one line."""
    try:
        commands()
    except LineError as error:
        click.echo(f"target-line-admin: {error}", err=True)
        sys.exit(1)
