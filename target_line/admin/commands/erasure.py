"""Commands that erase a person from the store, and that admit an erased person again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from line_core.store.saved_policy import load_policy
from target_line.admin.options import format_option
from target_line.admin.output import print_rows
from target_line.admin.person_lookup import find_identifier
from target_line.erasure.person import erase_person, list_claims_of_others, list_mentions
from target_line.identity.erased import admit as admit_identifiers

if TYPE_CHECKING:
    from target_line.admin.options import AdminOptions


@click.command()
@click.argument("identifier")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="List everything in the store that names the person. Nothing is erased.")
@format_option
@click.pass_obj
def forget(options: AdminOptions, identifier: str, *, yes: bool, dry_run: bool, output_format: str) -> None:
    """Erase a person from inbox, identity, ledger and rejects, and reject new records that name the person.

    IDENTIFIER is an id, email or LINE ID, or one of them with its kind: id:…, email:… or line_id:….
    """
    with options.open_store() as store:
        name = find_identifier(store, identifier, options)
        policy = load_policy(store)
        others = list_claims_of_others(store, policy, name)
        if dry_run:
            rows = [mention._asdict() for mention in list_mentions(store, policy, name)]
            rows += ({"table": "records of others", "key": str(by), "state": f"claims {named}"} for by, named in others)
            print_rows(rows, output_format)
            return
        for by, named in others:
            click.echo(f"{by} claims {named} too. It is erased from these records and later ones.", err=True)
        if not yes:
            click.confirm("This cannot be undone. Erase the person from the store?", abort=True)
        erased = erase_person(store, policy, name)
    for what, count in sorted(erased.items()):
        click.echo(f"{what}: {count:,}")


@click.command()
@click.argument("identifiers", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; kept in the store with the time. Do not name the person in it.")
@click.pass_obj
def admit(options: AdminOptions, identifiers: tuple[str, ...], reason: str) -> None:
    """Accept records again that name erased IDENTIFIERS, because the person came back by their own action.

    What was erased does not come back. Only a keyed hash of each identifier is kept.
    """
    with options.open_store() as store:
        names = [find_identifier(store, text, options) for text in identifiers]
        admit_identifiers(store, names, reason)
    click.echo(f"records that name {', '.join(map(str, names))} are accepted again")


ERASURE_COMMANDS = (forget, admit)
