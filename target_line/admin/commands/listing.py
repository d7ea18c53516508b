"""Commands that list the contents of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

import click

from line_core.store.saved_policy import load_policy
from target_line.admin import listings
from target_line.admin.merge_preview import MergePreview
from target_line.admin.options import config_option, format_option
from target_line.admin.output import print_rows
from target_line.admin.store_check import BrokenStoreError, check_store
from target_line.identity.repository import IdentityRepository

if TYPE_CHECKING:
    from pathlib import Path

    from target_line.admin.options import AdminOptions


@click.command()
@format_option
@click.pass_obj
def identities(options: AdminOptions, output_format: str) -> None:
    """List the profiles after all merges. Equal identities give equal output."""
    with options.open_store() as store:
        repository = IdentityRepository(store, load_policy(store), options.channel)
        provider, providers = options.provider_of(store), listings.providers_in(store)
        all_providers = "provider" not in options.explicit and len(providers) > 1
        if all_providers:
            click.echo(
                f"The store has LINE IDs of several providers: {', '.join(providers)}. The column line_id is of "
                f"{provider}, line_ids are of all; --provider selects one.",
                err=True,
            )
        print_rows(listings.identities(repository, provider, all_providers=all_providers), output_format)


@click.command()
@format_option
@click.pass_obj
def shared(options: AdminOptions, output_format: str) -> None:
    """List the identifiers that too many people claim, so that they identify nobody. This is permanent."""
    with options.open_store() as store:
        print_rows(listings.shared(store, load_policy(store)), output_format)


@click.command()
@click.option(
    "--preview",
    "file",
    type=click.File(encoding="utf-8"),
    help="List the merges that a file of records would cause (one JSON record of profiles per line, or the output of a "
    "tap). The records are read with the settings of target-line. The store is not changed.",
)
@config_option
@format_option
@click.pass_obj
def merges(options: AdminOptions, file: TextIO | None, config_path: Path | None, output_format: str) -> None:
    """List merges and moved identifiers: rule, profiles, time and the profiles before the merge."""
    if file:
        _preview(options, file, config_path, output_format)
        return
    with options.open_store() as store:
        rows = listings.merges(store)
        print_rows(rows if output_format == "jsonl" else map(listings.short_merge, rows), output_format)


def _preview(options: AdminOptions, file: TextIO, config_path: Path | None, output_format: str) -> None:
    # Imported here since its dependencies take long to import.
    from target_line.run_context import RunContext  # noqa: PLC0415

    config = options.target(config_path).config
    run = RunContext.open(config, create=False)
    with run.store as store:
        # Without a configuration, the rules are those of the last run.
        repository = run.identity if config_path else IdentityRepository(store, load_policy(store), run.channel)
        preview = MergePreview(run.parser, config["stream_roles"])
        print_rows(list(preview.merges(repository, file)), output_format)
    for problem in preview.problems:
        click.echo(problem, err=True)


@click.command()
@format_option
@click.pass_obj
def deliveries(options: AdminOptions, output_format: str) -> None:
    """List the messages in the ledger with their status."""
    with options.open_store() as store:
        print_rows(listings.deliveries(store, options.channel), output_format)


@click.command()
@format_option
@click.pass_obj
def rejects(options: AdminOptions, output_format: str) -> None:
    """List rejected records with the reason."""
    with options.open_store() as store:
        print_rows(listings.rejected_records(store, options.channel), output_format)


@click.command()
@format_option
@click.pass_obj
def runs(options: AdminOptions, output_format: str) -> None:
    """List the runs of target-line with the outcomes of their records."""
    with options.open_store() as store:
        print_rows(listings.runs(store, options.channel), output_format)


@click.command()
@format_option
@click.pass_obj
def plans(options: AdminOptions, output_format: str) -> None:
    """List the plans that runs with mode plan have stored."""
    with options.open_store() as store:
        print_rows(listings.plans(store, options.channel), output_format)


@click.command()
@click.option("--check", is_flag=True, help="Check identities and messages; fail if a row is not as it must be.")
@format_option
@click.pass_obj
def status(options: AdminOptions, *, check: bool, output_format: str) -> None:
    """Count the rows in the store by kind."""
    with options.open_store() as store:
        if check:
            broken = [invariant._asdict() for invariant in check_store(store)]
            print_rows(broken, output_format)
            if broken:
                raise BrokenStoreError(f"{len(broken):,} rows of the store are not as they must be")
            return
        counts = listings.status(store, options.channel)
    table = ({"what": name, "count": f"{count:,}"} for name, count in counts.items())
    print_rows([counts] if output_format == "jsonl" else table, output_format)


LISTING_COMMANDS = (identities, shared, merges, deliveries, rejects, runs, plans, status)
