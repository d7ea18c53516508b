"""Reconciliation: compare the ledger with LINE's counts by day and send method, and with the quota used this month.

LINE counts recipients by day in UTC+9, and its count of a day is final on the next day. Its counts differ from the
ledger if recipients had blocked the account, if messages went to groups, or if another program sends on the channel.

Source: LINE Messaging API reference, "Get number of sent push messages" and the like, "Get number of messages sent this
month".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, func, or_, select

from line_core.api.client import LineClient
from line_core.api.credentials import token_source_from_config
from line_core.api.errors import error_from_response
from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.errors import LineError
from line_core.line_time import line_date, line_day_start
from line_core.message_status import MessageStatus
from line_core.store.tables.ledger import requests
from target_line.sending.claim.request_body import RecipientKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from line_core.store import Store

METHODS = ("push", "multicast", "broadcast")
"""Send methods of the target that LINE counts by day. LINE has no daily count of narrowcasts."""
REPLY = "reply"
"""A send method that LINE counts by day and the target does not use."""
_MAX_DEFAULT_DAYS = 30
_RETRY_KEY_LIFETIME = timedelta(hours=24)
_DAY = timedelta(days=1)


class CountsDifferError(LineError):
    """LINE's final count of a day differs from the ledger."""


class ComparisonResult(StrEnum):
    """The result of a comparison, as the command prints it."""

    EQUAL = "equal"
    DIFFERS = "differs"
    NOT_FINAL = "not settled"
    """LINE has no final count yet."""
    NOT_OURS = "not ours"
    """The target does not use this send method."""


@dataclass(frozen=True, slots=True)
class RecipientCount:
    """Number of recipients by the ledger: a range if the ledger does not know the exact number."""

    minimum: int = 0
    maximum: int | None = 0
    """None if only LINE knows the number: broadcasts, and messages to groups."""

    def __str__(self) -> str:
        if self.maximum is None:
            return f"{self.minimum:,} or more"
        return f"{self.minimum:,}" if self.minimum == self.maximum else f"{self.minimum:,} to {self.maximum:,}"

    def __contains__(self, count: int) -> bool:
        return self.minimum <= count and (self.maximum is None or count <= self.maximum)


@dataclass(frozen=True, slots=True)
class CountComparison:
    """A count of LINE and the corresponding count of the ledger."""

    period: str
    method: str
    line_status: str
    line: int | None
    ledger: RecipientCount

    @property
    def result(self) -> ComparisonResult:
        """Whether the counts agree."""
        if self.method == REPLY:
            return ComparisonResult.NOT_OURS
        if self.line is None or self.line_status != "ready":
            return ComparisonResult.NOT_FINAL
        return ComparisonResult.EQUAL if self.line in self.ledger else ComparisonResult.DIFFERS

    @property
    def is_empty(self) -> bool:
        """Whether both counts are zero."""
        return not self.line and self.ledger == RecipientCount()

    def as_row(self) -> dict[str, Any]:
        """Return the row that the command prints."""
        return {
            "period": self.period,
            "method": self.method,
            "line_status": self.line_status,
            "line": self.line,
            "ledger": str(self.ledger),
            "verdict": self.result,
        }


def recipients_between(
    connection: Connection, channel: str, begin: datetime, end: datetime
) -> dict[str, RecipientCount]:
    """Return the number of recipients in a period by send method, from the ledger.

    The minimum counts requests that were both claimed and accepted in the period. The maximum adds requests that were
    claimed before it or accepted after it, and requests whose outcome is unknown.
    """
    accepted, uncertain = (
        requests.c.status == MessageStatus.ACCEPTED,
        requests.c.status.in_([MessageStatus.CLAIMED, MessageStatus.UNKNOWN]),
    )
    within = and_(accepted, requests.c.claimed_at >= begin, requests.c.finished_at < end)
    open_ended = or_(
        requests.c.recipients == 0,
        requests.c.recipient_kind.is_(None),  # inserted by an earlier version
        requests.c.recipient_kind.in_([RecipientKind.GROUP, RecipientKind.ROOM]),
    )
    query = (
        select(
            requests.c.method,
            func.sum(case((within, requests.c.recipients), else_=0)),
            func.sum(requests.c.recipients),
            func.sum(case((open_ended, 1), else_=0)),
        )
        .where(
            requests.c.channel == channel,
            requests.c.claimed_at >= begin - _RETRY_KEY_LIFETIME,
            requests.c.claimed_at < end,
            or_(and_(accepted, requests.c.finished_at >= begin), uncertain),
        )
        .group_by(requests.c.method)
    )
    return {
        method: RecipientCount(int(minimum), None if uncounted else int(maximum))
        for method, minimum, maximum, uncounted in connection.execute(query)
    }


def days_between(store: Store, channel: str, first: date | None, last: date | None) -> list[date]:
    """Return the days from `first` to `last`. Default: from the ledger's first day, at most 30 days ago, to today."""
    today = line_date(datetime.now(UTC))
    last = last or today
    if first is None:
        with store.read() as connection:
            oldest = connection.scalar(select(func.min(requests.c.claimed_at)).where(requests.c.channel == channel))
        first = max(line_date(oldest) if oldest else last, last - timedelta(days=_MAX_DEFAULT_DAYS - 1))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


async def compare(store: Store, config: Mapping[str, Any], days: list[date]) -> list[CountComparison]:
    """Compare the counts of each day and send method, then those of the month.

    Args:
        store: The open store.
        config: The settings of the target.
        days: Days in LINE's time zone, UTC+9.

    Raises:
        LineError: A request to LINE failed, or there are no credentials.
    """
    channel: str = config["channel"]
    tokens = token_source_from_config(config)
    comparisons = []
    with SharedRateLimiter.from_config(config, store, channel) as rate_limiter:
        async with LineClient.from_config(config, tokens, rate_limiter) as client:
            for day in days:
                ledger_counts = _recipients_between(store, channel, line_day_start(day), line_day_start(day) + _DAY)
                for method in (*METHODS, REPLY):
                    response = await _get(client, f"/v2/bot/message/delivery/{method}", date=f"{day:%Y%m%d}")
                    status, line_count = str(response.get("status")), response.get("success")
                    ledger_count = ledger_counts.get(method, RecipientCount())
                    comparisons.append(CountComparison(f"{day}", method, status, line_count, ledger_count))
            comparisons.append(await _compare_month(client, store, channel))
    return comparisons


def difference_error(comparisons: list[CountComparison]) -> CountsDifferError | None:
    """Return an error that names the counts that differ, None if none does."""
    differing = [item for item in comparisons if item.result is ComparisonResult.DIFFERS]
    if not differing:
        return None
    counts = "; ".join(
        f"{item.period} {item.method}: LINE {item.line:,}, the ledger {item.ledger}" for item in differing
    )
    return CountsDifferError(
        f"LINE's counts differ from the ledger: {counts}. If LINE counts more, another program sends on this channel; "
        "if fewer, recipients had blocked the account"
    )


async def _compare_month(client: LineClient, store: Store, channel: str) -> CountComparison:
    """Compare the quota used this month, which is never final."""
    now = datetime.now(UTC)
    today = line_date(now)
    response = await _get(client, "/v2/bot/message/quota/consumption")
    counts = _recipients_between(store, channel, line_day_start(today.replace(day=1)), now + _DAY).values()
    minimum = sum(count.minimum for count in counts)
    maximum = None if any(count.maximum is None for count in counts) else sum(count.maximum or 0 for count in counts)
    return CountComparison(
        f"{today:%Y-%m}", "quota", "goes on", response.get("totalUsage"), RecipientCount(minimum, maximum)
    )


def _recipients_between(store: Store, channel: str, begin: datetime, end: datetime) -> dict[str, RecipientCount]:
    with store.read() as connection:
        return recipients_between(connection, channel, begin, end)


async def _get(client: LineClient, path: str, **parameters: str) -> dict[str, Any]:
    response = await client.get(path, params=parameters)
    if error := error_from_response(response):
        raise error
    return response.json_object()
