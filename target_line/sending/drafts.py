"""Drafts: the messages of a dry run. They are stored like others, under a channel name of the run, and then deleted.

So a later run sends nothing that only a dry run has read. Leftovers of a killed dry run are deleted by later runs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, or_, select, update

from line_core.draft_channel import draft_channel
from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from line_core.store.tables.runs import runs
from target_line.intake.rejects import Reject, save_rejects
from target_line.sending.ledger import STREAM, Ledger
from target_line.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from line_core.store import Store
    from target_line.reasons import Reason
    from target_line.sending.ledger import MessageCounts

DRAFT = "draft"
"""Outcome of a valid message record in a dry run. The text is part of the stored reports of runs."""
_LONGEST_RUN = timedelta(days=1)
"""Drafts of a run that started earlier belong to no running process."""
_BATCH_SIZE = 5000
"""Rows that are deleted in one transaction."""


class DraftLedger(Ledger):
    """The messages as a run with mode send would find them: scheduled ones, and the drafts of this run in their place.

    Nothing else of the ledger is changed.
    """

    def __init__(self, store: Store, channel: str, run_id: str) -> None:
        super().__init__(store, channel, run_id)
        self.draft_channel = draft_channel(run_id)
        self._cancelled_campaigns: Sequence[str] = ()

    def withdraw_cancelled_campaigns(self) -> int:
        """Leave the messages of cancelled campaigns out of this run, and return the number of drafts among them."""
        cancelled, messages = tables.cancelled_campaigns.c, tables.messages.c
        channels = cancelled.channel.in_([self.channel, self.draft_channel])
        with self.store.read() as connection:
            names = connection.scalars(select(cancelled.campaign).where(channels).distinct()).all()
            drafts = (messages.channel == self.draft_channel) & in_values(connection, messages.campaign, names)
            counted = connection.scalar(select(func.count()).select_from(tables.messages).where(drafts))
        self._cancelled_campaigns = names
        return counted or 0

    def has_work(self) -> bool:
        """Return whether a message is scheduled, now or for later, or a request is claimed and has no outcome."""
        query = select(tables.messages.c.message_id).where(self._is_visible(), *self._is_handled()).limit(1)
        with self.store.read() as connection:
            is_scheduled = connection.execute(query).first() is not None
        return is_scheduled or super().has_work()

    def _is_handled(self) -> Iterable[ColumnElement[bool]]:
        return (tables.messages.c.status == MessageStatus.SCHEDULED,)

    def _visible(self) -> Sequence[ColumnElement[bool]]:
        messages, drafts = tables.messages.c, tables.messages.alias("drafts")
        is_replaced = exists().where(drafts.c.channel == self.draft_channel, drafts.c.message_id == messages.message_id)
        conditions = [messages.channel == self.draft_channel, and_(messages.channel == self.channel, ~is_replaced)]
        if not self._cancelled_campaigns:
            return conditions
        is_kept = or_(messages.campaign.is_(None), messages.campaign.not_in(self._cancelled_campaigns))
        return [condition & is_kept for condition in conditions]

    def reject(self, rejected: Iterable[tuple[str, Mapping[str, Any], Reason, str]]) -> None:
        """Save rejects of messages, and count the drafts among them as rejected. Scheduled messages do not change.

        Args:
            rejected: Message id, record, reason and detail of each message.
        """
        messages = tables.messages
        with self.store.write(lock="ledger") as connection:
            rejects = []
            for message_id, record, reason, detail in rejected:
                rejects.append(Reject(STREAM, record, reason, detail))
                draft = (messages.c.channel == self.draft_channel) & (messages.c.message_id == message_id)
                new = {"status": MessageStatus.REJECTED, "reason": reason}
                connection.execute(update(messages).where(draft).values(new))
            save_rejects(connection, self.channel, rejects)

    def counts_of_run(self) -> MessageCounts:
        """Return the number of drafts by outcome and reason."""
        messages = tables.messages.c
        query = select(messages.status, messages.reason, func.count()).where(
            messages.staged_by == self.run_id, messages.channel == self.draft_channel
        )
        with self.store.read() as connection:
            rows = connection.execute(query.group_by(messages.status, messages.reason)).all()
        return {
            (DRAFT if status == MessageStatus.SCHEDULED else status, reason): count for status, reason, count in rows
        }


def delete_drafts(store: Store, run_id: str) -> None:
    """Delete the messages and cancellations of a dry run."""
    channel, messages = draft_channel(run_id), tables.messages
    deleted = _BATCH_SIZE
    while deleted == _BATCH_SIZE:
        with store.write(lock="ledger") as connection:
            selected = select(messages.c.message_id).where(messages.c.channel == channel).limit(_BATCH_SIZE)
            ids = connection.scalars(selected).all()
            chosen = (messages.c.channel == channel) & in_values(connection, messages.c.message_id, ids)
            if ids:
                connection.execute(delete(messages).where(chosen))
            campaigns = tables.cancelled_campaigns
            connection.execute(delete(campaigns).where(campaigns.c.channel == channel))
        deleted = len(ids)


def delete_leftover_drafts(store: Store) -> None:
    """Delete the drafts of dry runs that were killed."""
    table, before = runs.c, datetime.now(UTC) - _LONGEST_RUN
    query = select(table.run_id).where(
        table.mode.in_([Mode.PLAN, Mode.VALIDATE]), table.finished_at.is_(None), table.started_at < before
    )
    with store.read() as connection:
        run_ids = connection.scalars(query).all()
        left = [run_id for run_id in run_ids if _has_drafts(connection, run_id)]
    for run_id in left:
        delete_drafts(store, run_id)


def _has_drafts(connection: Connection, run_id: str) -> bool:
    channels = tables.messages.c.channel, tables.cancelled_campaigns.c.channel
    return any(
        connection.execute(select(channel).where(channel == draft_channel(run_id)).limit(1)).first()
        for channel in channels
    )
