"""Commands about one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from line_core.store.saved_policy import load_policy
from target_line.admin.explanation import explanation_lines
from target_line.admin.output import print_json, print_line
from target_line.admin.person_lookup import explain_person, find_identifier

if TYPE_CHECKING:
    from target_line.admin.options import AdminOptions


@click.command()
@click.argument("identifier")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def explain(options: AdminOptions, identifier: str, output_format: str) -> None:
    """Explain the profile of an IDENTIFIER: its records, the merge rules applied, and whether messages go to it.

    IDENTIFIER is an id, email or LINE ID, or one of them with its kind: id:…, email:… or line_id:….
    """
    with options.open_store() as store:
        policy = load_policy(store)
        name = find_identifier(store, identifier, options)
        provider = name.provider or options.provider_of(store)
        explanation = explain_person(store, name, policy, provider=provider, channel=options.channel)
    if output_format == "json":
        print_json(explanation, indent=2)
    else:
        for line in explanation_lines(explanation, policy):
            print_line(line)


PERSON_COMMANDS = (explain,)
