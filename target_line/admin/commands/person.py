"""Commands about one person or one merge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from line_core.identity.explanation import explanation_lines
from line_core.store.saved_policy import load_policy
from target_line.admin.person_lookup import explain_person, parse_identifier
from target_line.identity.repository import IdentityRepository

if TYPE_CHECKING:
    from target_line.admin.options import AdminOptions


@click.command()
@click.argument("identifier")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def explain(options: AdminOptions, identifier: str, output_format: str) -> None:
    """Explain the profile of an IDENTIFIER: its records, the merge rules applied, its LINE ID.

    IDENTIFIER is an id, email or LINE ID, or one of them with its kind: id:…, email:… or line_id:….
    """
    with options.open_store() as store:
        policy = load_policy(store)
        explanation = explain_person(store, parse_identifier(identifier, options.provider), policy)
    if output_format == "json":
        click.echo(json.dumps(explanation, ensure_ascii=False, indent=2))
    else:
        for line in explanation_lines(explanation, policy):
            click.echo(line)


@click.command()
@click.argument("merge_id", type=int)
@click.pass_obj
def unmerge(options: AdminOptions, merge_id: int) -> None:
    """Undo a merge or a moved identifier permanently. MERGE_ID is its number in `merges`."""
    with options.open_store() as store:
        IdentityRepository(store, load_policy(store), options.channel).unmerge(merge_id)
    click.echo(f"merge {merge_id} is undone")


PERSON_COMMANDS = (explain, unmerge)
