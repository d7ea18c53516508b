"""Commands that replay rejects, reconcile the ledger and upgrade the store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from line_core.store import open_store, upgrade_store
from target_line.admin.options import config_option, format_option
from target_line.admin.output import print_rows

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from target_line.admin.options import AdminOptions

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--reason", help="Replay only records that were rejected for this reason code.")
@click.option("--stream", help="Replay only records of this stream.")
@click.option("--limit", type=click.IntRange(min=1), help="Replay at most this many records.")
@config_option
@format_option
@click.pass_obj
def replay_rejects(  # noqa: PLR0913, PLR0917 - the options of the command
    options: AdminOptions,
    reason: str | None,
    stream: str | None,
    limit: int | None,
    config_path: Path | None,
    output_format: str,
) -> None:
    """Process rejected records again after their cause was fixed. Messages are sent by the next run."""
    # Imported here since their dependencies take long to import.
    from target_line.admin.reject_replay import RejectFilter, RejectReplay  # noqa: PLC0415
    from target_line.run_context import RunContext  # noqa: PLC0415

    config = options.target(config_path).config
    run_context = RunContext.open(config, with_saved_policy=config_path is None, create=False)
    with run_context.store:
        replay = RejectReplay(run_context, config["stream_roles"])
        outcomes = replay.run(RejectFilter(reason, stream, limit))
    print_rows(({"outcome": outcome, "count": count} for outcome, count in outcomes.items()), output_format)


@click.command()
@click.option("--from", "first", type=_DAY, help="First day; default: first day of the ledger, at most 30 days ago.")
@click.option("--to", "last", type=_DAY, help="Last day; default: today.")
@config_option
@format_option
@click.pass_obj
def reconcile(
    options: AdminOptions,
    first: datetime | None,
    last: datetime | None,
    config_path: Path | None,
    output_format: str,
) -> None:
    """Compare the ledger with LINE's counts of each day (UTC+9) and of the month.

    The command fails if LINE's final count of a day differs.
    """
    from target_line.admin import reconciliation  # noqa: PLC0415 - the SDK is slow to import

    config = options.target(config_path).config
    with open_store(config["store_url"], create=False) as store:
        days = reconciliation.days_between(store, config["channel"], first and first.date(), last and last.date())
        comparisons = asyncio.run(reconciliation.compare(store, config, days))
    print_rows((comparison.as_row() for comparison in comparisons if not comparison.is_empty), output_format)
    if error := reconciliation.difference_error(comparisons):
        raise error


@click.command()
@click.pass_obj
def upgrade(options: AdminOptions) -> None:
    """Upgrade the schema of the store to this version."""
    before, after = upgrade_store(options.store_url)
    click.echo(f"schema {after}" if before == after else f"schema {before or 'none'} → {after}")


MAINTENANCE_COMMANDS = (replay_rejects, reconcile, upgrade)
