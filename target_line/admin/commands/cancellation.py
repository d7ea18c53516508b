"""The command that withdraws messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from target_line.sending.ledger import Ledger
from target_line.sending.read.cancellation import Cancellation
from target_line.sending.staging import CANCELLED_BY_RECORD, Staging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_line.admin.options import AdminOptions


@click.command()
@click.option("--message-id", "message_ids", multiple=True, help="A message. Can be given several times.")
@click.option("--campaign", "campaigns", multiple=True, help="All messages of a campaign that have not been sent.")
@click.pass_obj
def cancel(options: AdminOptions, message_ids: Sequence[str], campaigns: Sequence[str]) -> None:
    """Withdraw messages that have not been sent, also while target-line is running.

    A withdrawn message_id is never sent, also if its record is loaded again.
    """
    if not message_ids and not campaigns:
        raise click.UsageError("name messages with --message-id, or campaigns with --campaign")
    cancellations = [
        *(Cancellation(message_id=message_id) for message_id in message_ids),
        *(Cancellation(campaign=campaign) for campaign in campaigns),
    ]
    with options.open_store() as store:
        with store.write(lock="ledger") as connection:
            result = Staging(options.channel, CANCELLED_BY_RECORD).cancel(connection, cancellations)
        ledger = Ledger(store, options.channel, CANCELLED_BY_RECORD)
        withdrawn = ledger.withdraw_cancelled_campaigns()
        being_sent = ledger.count_claimed(campaigns) if campaigns else 0
    for refusal in result.refusals:
        click.echo(f"{refusal.record['message_id']}: {refusal.detail}", err=True)
    if message_ids:
        click.echo(f"{result.cancelled - len(campaigns):,} of {len(message_ids):,} messages are withdrawn")
    if campaigns:
        click.echo(f"{withdrawn:,} messages of the campaigns are withdrawn")
    if being_sent:
        click.echo(f"{being_sent:,} messages of the campaigns are being sent, and cannot be withdrawn", err=True)
    if result.refusals:
        raise click.exceptions.Exit(1)


CANCELLATION_COMMANDS = (cancel,)
