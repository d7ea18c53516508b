"""The month's quota: how many more messages LINE lets the account send.

LINE counts recipients, not message objects, and the account's other senders too; its figure lags behind, so what this
store has claimed since counts on top.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month" and "Get number of messages
sent this month".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from line_core.errors import LineError
from line_core.message_status import MessageStatus
from line_core.store.tables import ledger as tables

if TYPE_CHECKING:
    from sqlalchemy import Connection


class QuotaSpentError(LineError):
    """No more may be sent this month, or for now; the rest stays scheduled."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What LINE said at a time."""

    limit: int | None
    """Messages a month; None if the account has no limit."""
    used: int
    read_at: datetime

    @classmethod
    def unlimited(cls) -> Quota:
        """Without a limit."""
        return cls(None, 0, datetime.now(UTC))

    @property
    def left(self) -> int | None:
        """How many LINE would take; None for any number."""
        return None if self.limit is None else max(self.limit - self.used, 0)


class Allowance:
    """To how many people a run may still send."""

    def __init__(self, channel: str, quota: Quota, *, reserve: int = 0, max_sends: int | None = None) -> None:
        """Begin with nothing sent.

        Args:
            channel: Name of the channel that sends.
            quota: As LINE told it when the run began to send.
            reserve: How much of the quota is kept for others.
            max_sends: Most messages that the run may send.
        """
        self._channel = channel
        self._quota = quota
        self._reserve = reserve
        self._max_sends = max_sends
        self._claimed = 0

    def __call__(self, connection: Connection) -> int | None:
        """How many may be claimed now; None for any number.

        Args:
            connection: A write transaction that holds the ledger alone.
        """
        bounds = [
            bound
            for bound in (
                None if self._quota.left is None else self._quota_left(connection),
                None if self._max_sends is None else self._max_sends - self._claimed,
            )
            if bound is not None
        ]
        return max(min(bounds), 0) if bounds else None

    def took(self, messages: int) -> None:
        """Count what was claimed."""
        self._claimed += messages

    def quota_left(self) -> int | None:
        """About how much of the quota is left, for people to read."""
        return None if self._quota.left is None else max(self._quota.left - self._claimed, 0)

    def spent(self, still_due: int) -> QuotaSpentError | None:
        """The error that an allowance spent on the quota is; none if it was spent on the run's own limit."""
        if self._max_sends is not None and self._claimed >= self._max_sends:
            return None
        kept = f", of which {self._reserve:,} are kept by quota_reserve" if self._reserve else ""
        words = f"the month's quota of {self._quota.limit:,} messages{kept} is spent; {still_due:,} stay scheduled"
        return QuotaSpentError(words, setting="quota_reserve" if self._reserve else None)

    def _quota_left(self, connection: Connection) -> int:
        spent = spent_since(connection, self._channel, self._quota.read_at)
        return (self._quota.left or 0) - self._reserve - spent


def refused_for_quota(quota: Quota, still_due: int) -> QuotaSpentError:
    """What LINE's word that the monthly limit is reached means, by the quota as it is read afterwards."""
    rest = f"{still_due:,} messages stay scheduled"
    if quota.left:
        return QuotaSpentError(
            f"LINE says the monthly limit is reached, though {quota.left:,} of {quota.limit:,} are left: a running "
            f"narrowcast or broadcast holds them; run again when it has ended; {rest}"
        )
    limit = "" if quota.limit is None else f" of {quota.limit:,} messages"
    return QuotaSpentError(f"the month's quota{limit} is used up; {rest}")


def spent_since(connection: Connection, channel: str, read_at: datetime) -> int:
    """To how many people requests were claimed since LINE told its consumption, or claimed earlier and unfinished."""
    table = tables.requests.c
    query = select(func.coalesce(func.sum(table.recipients), 0)).where(
        table.channel == channel,
        or_(table.claimed_at >= read_at, table.status == MessageStatus.CLAIMED),
        table.status != MessageStatus.REJECTED,
    )
    return int(connection.execute(query).scalar_one())
