"""`target-line-admin`: inspect and maintain the store of tap-line and target-line."""

from __future__ import annotations

import sys

import click
from click.core import ParameterSource

from line_core.errors import LineError
from line_core.store import DEFAULT_STORE_URL
from target_line.admin.commands.cancellation import CANCELLATION_COMMANDS
from target_line.admin.commands.correction import CORRECTION_COMMANDS
from target_line.admin.commands.erasure import ERASURE_COMMANDS
from target_line.admin.commands.listing import LISTING_COMMANDS
from target_line.admin.commands.maintenance import MAINTENANCE_COMMANDS
from target_line.admin.commands.person import PERSON_COMMANDS
from target_line.admin.options import AdminOptions


@click.group()
@click.option(
    "--store-url",
    envvar=["TARGET_LINE_STORE_URL", "TAP_LINE_STORE_URL"],
    default=DEFAULT_STORE_URL,
    show_default=True,
    help="Database URL of the store. Use the environment variable if it contains a password.",
)
@click.option("--channel", envvar="TARGET_LINE_CHANNEL", default="main", show_default=True, help="Your channel's name.")
@click.option(
    "--provider",
    envvar="TARGET_LINE_PROVIDER",
    default="default",
    show_default=True,
    help="Your name for the provider that the channel belongs to.",
)
@click.version_option(package_name="singer-line")
@click.pass_context
def commands(context: click.Context, store_url: str, channel: str, provider: str) -> None:
    """Inspect and maintain the store of tap-line and target-line."""
    options = {"store_url": store_url, "channel": channel, "provider": provider}
    explicit = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    context.obj = AdminOptions(**options, explicit=explicit)


for _command in (
    *LISTING_COMMANDS,
    *PERSON_COMMANDS,
    *CORRECTION_COMMANDS,
    *CANCELLATION_COMMANDS,
    *ERASURE_COMMANDS,
    *MAINTENANCE_COMMANDS,
):
    commands.add_command(_command)


def main() -> None:
    """Run a command. An error that the user can fix is printed as one line."""
    try:
        commands()
    except LineError as error:
        click.echo(f"target-line-admin: {error}", err=True)
        sys.exit(1)
