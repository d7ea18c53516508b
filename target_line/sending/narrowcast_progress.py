"""Progress of accepted narrowcasts.

LINE accepts a narrowcast before it selects the recipients, and can fail later, for example because there are too few.
So each run that sends asks for the progress of the narrowcasts whose end is not known, and rejects those that failed.

Source: LINE Messaging API reference, "Get narrowcast message status". LINE keeps the progress for 14 days.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, select, update

from line_core.api.errors import NotFoundError, error_from_response
from line_core.ids import without_line_ids
from line_core.message_status import MessageStatus
from line_core.store.clock import database_now
from line_core.store.tables import ledger as tables
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from target_line.sending.ledger import STREAM

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from line_core.api.client import LineClient
    from target_line.sending.ledger import Ledger

_PATH = "/v2/bot/message/progress/narrowcast"
_KEPT_FOR = timedelta(days=14)
_FAILURES = {
    "1": "an internal error of LINE",
    "2": "not enough recipients",
    "3": "a retried request that was already accepted",
    "4": "an audience of fewer than 50 recipients",
    "5": "cancelled, since only a part of the recipients would have got it",
}

_logger = logging.getLogger("target-line.sending")


@dataclass(frozen=True, slots=True)
class _Progress:
    phase: str
    reason: str | None = None
    """Why it failed."""


def has_running_narrowcasts(ledger: Ledger) -> bool:
    """Return whether the end of an accepted narrowcast is not known."""
    with ledger.store.read() as connection:
        return bool(connection.execute(select(exists().where(_is_running(ledger.channel)))).scalar())


async def check_narrowcasts(client: LineClient, ledger: Ledger) -> int:
    """Request the progress of narrowcasts whose end is not known, and reject the messages of those that failed.

    Returns:
        The number of rejected messages.

    Raises:
        LineError: A request failed, or the store.
    """
    table = tables.requests.c
    query = select(table.retry_key, table.request_id, table.finished_at).where(_is_running(ledger.channel))
    with ledger.store.read() as connection:
        now = database_now(connection)
        running = connection.execute(query).all()
    rejected = 0
    for row in running:
        is_kept = row.request_id is not None and (row.finished_at is None or now - row.finished_at < _KEPT_FOR)
        progress = await _request_progress(client, row.request_id) if is_kept else _Progress("expired")
        if progress:
            rejected += _record(ledger, row.retry_key, progress)
    return rejected


def _is_running(channel: str) -> ColumnElement[bool]:
    table = tables.requests.c
    return (
        (table.channel == channel)
        & (table.method == "narrowcast")
        & table.progress.is_(None)
        & (table.status == MessageStatus.ACCEPTED)
    )


async def _request_progress(client: LineClient, request_id: str) -> _Progress | None:
    """Return how the narrowcast ended; None if it has not, or if LINE does not say it yet."""
    response = await client.get(_PATH, params={"requestId": request_id})
    error = error_from_response(response)
    if isinstance(error, NotFoundError):
        return None
    if error:
        raise error
    body = response.json_object()
    match body.get("phase"):
        case "succeeded":
            return _Progress("succeeded")
        case "failed":
            code = body.get("errorCode")
            known = _FAILURES.get(str(code))
            reason = f"error {code}" + (f", {known}" if known else "")
            description = body.get("failedDescription")
            return _Progress("failed", f"{reason}: {description}" if description else reason)
    return None


def _record(ledger: Ledger, retry_key: str, progress: _Progress) -> int:
    messages = tables.messages
    carried = (messages.c.retry_key == retry_key) & (messages.c.status == MessageStatus.ACCEPTED)
    with ledger.store.write(lock="ledger") as connection:
        now = database_now(connection)
        of_request = tables.requests.c.retry_key == retry_key
        connection.execute(update(tables.requests).where(of_request).values(progress=progress.phase))
        if progress.reason is None:
            return 0
        rows = connection.execute(select(messages.c.message_id, messages.c.record).where(carried)).all()
        reason = Reason.NARROWCAST_FAILED
        new = {"status": MessageStatus.REJECTED, "reason": reason, "detail": progress.reason, "updated_at": now}
        connection.execute(update(messages).where(carried).values(new))
        rejects = [Reject(STREAM, row.record, reason, progress.reason) for row in rows]
        save_rejects(connection, ledger.channel, rejects)
    for row in rows:
        _logger.warning(
            "LINE accepted the narrowcast %s and failed later: %s", row.message_id, without_line_ids(progress.reason)
        )
    return len(rows)
