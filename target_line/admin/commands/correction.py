"""Commands that correct what wrong records caused. Each shows what will change and asks, and can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from line_core.identity.model import UNDATED
from line_core.store.saved_policy import load_policy
from target_line.admin.output import print_line
from target_line.admin.person_lookup import find_identifier
from target_line.identity.corrections import IdentityCorrections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from line_core.identity.results import Profile
    from line_core.store import Store
    from target_line.admin.options import AdminOptions
    from target_line.identity.correction_plans import CorrectionPlan

_yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("merge_id", type=int)
@_yes_option
@click.pass_obj
def unmerge(options: AdminOptions, merge_id: int, *, yes: bool) -> None:
    """Undo a merge, or a moved, superseded or unlinked identifier. MERGE_ID is its number in `merges`."""
    with options.open_store() as store:
        done = f"merge {merge_id} is undone"
        _correct(options, store, lambda corrections: corrections.plan_unmerge(merge_id), done, yes=yes)


@click.command()
@click.argument("identifier")
@_yes_option
@click.pass_obj
def detach(options: AdminOptions, identifier: str, *, yes: bool) -> None:
    """Detach an IDENTIFIER from every other one: it is a profile of its own, whatever records say.

    IDENTIFIER is an id, email or LINE ID, or one of them with its kind: id:…, email:… or line_id:….
    """
    with options.open_store() as store:
        name = find_identifier(store, identifier, options)
        _correct(options, store, lambda corrections: corrections.plan_detach(name), f"{name} is detached", yes=yes)


@click.command()
@click.argument("identifiers", nargs=-1, required=True)
@click.option("--at", "time", required=True, help="Time of the record, as `explain` shows it; `undated` without one.")
@_yes_option
@click.pass_obj
def withdraw(options: AdminOptions, identifiers: Sequence[str], time: str, *, yes: bool) -> None:
    """Withdraw a wrong record: its values, times and opt-outs do not count, also if it is loaded again.

    IDENTIFIERS are all identifiers of the record. Values that it replaced are not in the store any more. They come back
    when their records are loaded again.
    """
    at = _milliseconds(time)
    with options.open_store() as store:
        names = [find_identifier(store, identifier, options) for identifier in identifiers]
        done = "the record is withdrawn"
        _correct(options, store, lambda corrections: corrections.plan_withdraw(names, at), done, yes=yes)


@click.command()
@click.argument("merge_id", type=int)
@_yes_option
@click.pass_obj
def undo(options: AdminOptions, merge_id: int, *, yes: bool) -> None:
    """Take back a correction: the effect of unmerge, detach or withdraw ends.

    MERGE_ID is the number of the correction in `merges`, or of the merge that it undid.
    """
    with options.open_store() as store:
        done = f"{merge_id} is taken back"
        _correct(options, store, lambda corrections: corrections.plan_undo(merge_id), done, yes=yes)


remerge = click.Command(
    "remerge",
    params=undo.params,
    callback=undo.callback,
    help="Take back an unmerge: the same as undo.",
)


def _correct(
    options: AdminOptions,
    store: Store,
    plan: Callable[[IdentityCorrections], CorrectionPlan],
    done: str,
    *,
    yes: bool,
) -> None:
    """Show the effect of a correction, ask, and apply it."""
    corrections = IdentityCorrections(store, load_policy(store), options.channel)
    planned = plan(corrections)
    effect = corrections.effect(planned)
    for title, profiles in (("before", effect.before), ("after", effect.after)):
        click.echo(f"{title}:")
        for line in _lines(profiles):
            print_line(f"  {line}")
    if not yes:
        click.confirm("Store this?", abort=True)
    number = corrections.apply(planned).number
    click.echo(done if number is None else f"{done}; `target-line-admin undo {number}` takes it back")


def _milliseconds(time: str) -> int:
    if time == "undated":
        return UNDATED
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        raise click.BadParameter(f"{time!r} is neither an ISO 8601 date-time nor `undated`") from None
    return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def _lines(profiles: Sequence[Profile]) -> Iterator[str]:
    for profile in profiles:
        line_ids = ", ".join(f"LINE ID {account.line_id}" for _, account in sorted(profile.canonical.items()))
        names = ", ".join(map(str, sorted(profile.identifiers)))
        yield f"{profile.key}: {names}; {line_ids or 'no LINE ID'}; {_shortened(profile.attributes)}"
    if not profiles:
        yield "no profile changes now"


def _shortened(attributes: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in attributes.items()) or "no attributes"


CORRECTION_COMMANDS = (unmerge, detach, withdraw, undo, remerge)
