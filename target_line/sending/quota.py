"""Monthly quota, and the number of messages that a run may still claim.

LINE counts recipients, not message objects, and includes messages from other software. Its count lags behind, so
recipients that were claimed in this store after the count was read are added.

Source: LINE Messaging API reference, "Get the target limit for sending messages this month" and "Get number of messages
sent this month".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from line_core.errors import LineError
from line_core.message_status import MessageStatus
from line_core.store.tables import ledger as tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


class QuotaExhaustedError(LineError):
    """No more messages can be sent this month, or at present. The remaining messages stay scheduled."""


@dataclass(frozen=True, slots=True)
class QuotaStatus:
    """Monthly quota of the account, as LINE reported it at a time."""

    limit: int | None
    """Messages per month; None if the account has no limit."""
    used: int
    read_at: datetime

    @property
    def left(self) -> int | None:
        """Messages that LINE still accepts this month; None for no limit."""
        return None if self.limit is None else max(self.limit - self.used, 0)


class SendAllowance:
    """Number of messages that a run may still claim, limited by the quota and by `max_sends_per_run`."""

    def __init__(self, channel: str, quota: QuotaStatus, *, reserve: int = 0, max_sends: int | None = None) -> None:
        """Start a run that has claimed no messages.

        Args:
            channel: Name of the sending channel.
            quota: Quota at the start of the run.
            reserve: Part of the quota that this channel does not use.
            max_sends: Maximum number of messages of the run; None for no limit.
        """
        self._channel = channel
        self._quota = quota
        self._reserve = reserve
        self._max_sends = max_sends
        self._claimed = 0

    def remaining(self, connection: Connection) -> int | None:
        """Return how many messages may be claimed now; None for no limit.

        Args:
            connection: A write transaction that holds the lock of the ledger.
        """
        limits = [
            limit
            for limit in (
                None if self._quota.left is None else self._remaining_quota(connection, self._quota.left),
                None if self._max_sends is None else self._max_sends - self._claimed,
            )
            if limit is not None
        ]
        return max(min(limits), 0) if limits else None

    def count_claimed(self, messages: int) -> None:
        """Add claimed messages. Call it after the claim is committed."""
        self._claimed += messages

    def release(self, messages: int) -> None:
        """Subtract claimed messages that were scheduled again."""
        self._claimed -= messages

    def remaining_of_run(self) -> int | None:
        """Return how many messages `max_sends_per_run` still allows; None without the setting."""
        return None if self._max_sends is None else max(self._max_sends - self._claimed, 0)

    def estimate_quota_left(self) -> int | None:
        """Return the approximate remaining quota for log lines; None for no limit."""
        return None if self._quota.left is None else max(self._quota.left - self._claimed, 0)

    def exhausted_error(self, still_due: int) -> QuotaExhaustedError | None:
        """Return the error for an exhausted allowance; None if `max_sends_per_run` was the limit, which is no error."""
        if self._max_sends is not None and self._claimed >= self._max_sends:
            return None
        reserved = f", of which quota_reserve keeps {self._reserve:,}" if self._reserve else ""
        return QuotaExhaustedError(
            f"the monthly quota of {self._quota.limit:,} messages{reserved} is used up; {still_due:,} stay scheduled",
            setting="quota_reserve" if self._reserve else None,
        )

    def _remaining_quota(self, connection: Connection, left: int) -> int:
        return left - self._reserve - count_quota_claimed(connection, self._channel, self._quota.read_at)


def quota_refusal_error(quota: QuotaStatus, still_due: int, refused: str | None = None) -> QuotaExhaustedError:
    """Return the error for LINE's response that the monthly limit is reached.

    Args:
        quota: Quota, read after the response.
        still_due: Number of messages that stay scheduled.
        refused: Text that names the request which LINE refused, if others were sent.
    """
    scheduled = f"{still_due:,} messages stay scheduled"
    limit = "" if quota.limit is None else f" of {quota.limit:,} messages"
    if not quota.left:
        return QuotaExhaustedError(f"the monthly quota{limit} is used up; {scheduled}")
    left = f"{quota.left:,} of the monthly quota of {quota.limit:,} messages are left"
    if refused:
        return QuotaExhaustedError(f"{refused} needs more messages than LINE allows this month: {left}; {scheduled}")
    return QuotaExhaustedError(
        f"LINE reports that the monthly limit is reached, but {left}: messages that were just sent are counted later, "
        f"and a narrowcast or broadcast that is still running, also one from LINE Official Account Manager, reserves "
        f"what it needs; {scheduled}"
    )


def count_quota_claimed(connection: Connection, channel: str, read_at: datetime) -> int:
    """Return the quota needed by requests that LINE's count may not include.

    These are the requests that were claimed after the count was read, and earlier requests that are still claimed.
    Rejected requests need no quota.
    """
    table = tables.requests.c
    query = select(func.coalesce(func.sum(table.recipients), 0)).where(
        table.channel == channel,
        or_(table.claimed_at >= read_at, table.status == MessageStatus.CLAIMED),
        table.status != MessageStatus.REJECTED,
    )
    return int(connection.execute(query).scalar_one())
