"""Claims without an outcome: marked before they are sent, taken over, set aside. In the caller's transaction.

Times are the database's, so that a difference between the clocks of two machines does not make a claim look younger.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from target_line.intake.rejects import Reject
from target_line.reasons import Reason
from target_line.sending.claim.outcomes import ClaimedRequest, RequestOutcome, record_outcomes
from target_line.sending.claim.release import reschedule
from target_line.sending.claim.request_body import SendMethod
from target_line.sending.ledger import STREAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

RETRY_KEY_LIFETIME = timedelta(hours=24) - timedelta(hours=1)
"""LINE accepts a retry key for 24 hours (LINE: "Retry failed API requests"). The margin covers clock differences."""
SET_ASIDE_FOR = timedelta(hours=24)
"""After this time of tries a message that LINE keeps answering with 429 is rejected."""

_FIRST_DELAY, _MAX_DELAY = timedelta(minutes=10), timedelta(hours=6)
# A claim later than this has no known age: the clock was set back. Small corrections of a clock are shorter.
_MAX_AHEAD = timedelta(seconds=5)


def mark_attempted(connection: Connection, run_id: str, keys: Sequence[str]) -> set[str]:
    """Record that requests may leave now, and return the keys of those that the run still has."""
    table = tables.requests
    own = (table.c.claimed_by == run_id) & (table.c.status == MessageStatus.CLAIMED) & (table.c.never_attempted == 1)
    statement = update(table).where(in_values(connection, table.c.retry_key, keys), own).values(never_attempted=0)
    return set(connection.execute(statement.returning(table.c.retry_key)).scalars())


def expire_keys(connection: Connection, channel: str, now: datetime) -> int:
    """Mark claims whose retry key LINE may not know any more as unknown, and return the number of their messages.

    A claim in the future has no known age, so it counts as expired.
    """
    claimed_at = tables.requests.c.claimed_at
    dead = or_(claimed_at <= now - RETRY_KEY_LIFETIME, claimed_at > now + _MAX_AHEAD)
    expired = _read_requests(connection, _may_have_left(channel) & dead)
    record_outcomes(connection, channel, [RequestOutcome(request, MessageStatus.UNKNOWN, 0) for request in expired])
    return sum(request.messages for request in expired)


def take_over(connection: Connection, channel: str, run_id: str, now: datetime) -> list[ClaimedRequest]:
    """Take over the claims of other runs that may have been sent, oldest first.

    Requests with an expired message are left out: they stay claimed, and become unknown with their key.
    """
    of_other_runs = _may_have_left(channel) & (tables.requests.c.claimed_by != run_id)
    requests = _read_requests(connection, of_other_runs)
    connection.execute(update(tables.requests).where(of_other_runs).values(claimed_by=run_id))
    return [request for request in requests if request.valid_until is None or request.valid_until > now]


def set_aside(connection: Connection, keys: Sequence[str], reason: str, now: datetime) -> list[Reject]:
    """Schedule the messages of requests for a later try. Return rejects for those that were tried for a day."""
    table = tables.messages
    carried = in_values(connection, table.c.retry_key, keys)
    columns = (table.c.message_id, table.c.record, table.c.set_aside_count, table.c.set_aside_since, table.c.channel)
    rows = connection.execute(select(*columns).where(carried)).all()
    reschedule(connection, keys)
    rejects = []
    for message_id, record, count, since, channel in rows:
        tries, first = count + 1, since or now
        detail = f"LINE answered 429 in {tries:,} runs since {first:%Y-%m-%d %H:%M} UTC: {reason}"
        new = {"set_aside_count": tries, "set_aside_since": first, "detail": detail, "updated_at": datetime.now(UTC)}
        if now - first >= SET_ASIDE_FOR:
            new |= {"status": MessageStatus.REJECTED, "reason": Reason.REFUSED_BY_LINE}
            rejects.append(Reject(STREAM, record, Reason.REFUSED_BY_LINE, detail))
        else:
            new |= {"reason": Reason.SET_ASIDE, "due_at": now + min(_FIRST_DELAY * 2**count, _MAX_DELAY)}
        key = (table.c.channel == channel) & (table.c.message_id == message_id)
        connection.execute(update(table).where(key).values(new))
    return rejects


def _may_have_left(channel: str) -> ColumnElement[bool]:
    requests = tables.requests.c
    claimed = (requests.channel == channel) & (requests.status == MessageStatus.CLAIMED)
    return claimed & (requests.never_attempted == 0)


def _read_requests(connection: Connection, condition: ColumnElement[bool]) -> list[ClaimedRequest]:
    """Return stored requests, oldest claim first."""
    table, messages = tables.requests.c, tables.messages.c
    carried = select(func.count()).where(messages.retry_key == table.retry_key).correlate(tables.requests)
    expiry = select(func.min(messages.expires_at)).where(messages.retry_key == table.retry_key)
    query = select(
        table.retry_key,
        table.method,
        table.body,
        table.recipients,
        table.claimed_at,
        carried.scalar_subquery(),
        expiry.correlate(tables.requests).scalar_subquery(),
    ).where(condition)
    return [
        ClaimedRequest(
            key,
            SendMethod(method),
            body,
            count,
            fresh=False,
            recipients=recipients,
            valid_until=min(time for time in (claimed_at + RETRY_KEY_LIFETIME, expires_at) if time is not None),
        )
        for key, method, body, recipients, claimed_at, count, expires_at in connection.execute(
            query.order_by(table.claimed_at)
        )
    ]
