"""Hold the ledger against what LINE says it sent: by day and method, and by month against the quota.

LINE counts recipients, in days of UTC+9, and has counted a day when the next has begun; people who had blocked the
account and members of groups make its figures other than ours, and so does whatever else sends on the channel.

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
from line_core.api.errors import error_from_response
from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.api.tokens import token_source_from_config
from line_core.errors import LineError
from line_core.line_time import line_date, start_of
from line_core.message_status import MessageStatus
from line_core.store.tables.ledger import requests
from target_line.sending.claim.request_body import RecipientKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from line_core.store import Store

METHODS = ("push", "multicast", "broadcast")
"""Those of ours that LINE counts by day; narrowcasts it does not."""
NOT_OURS = "reply"
_DAYS = 30
_KEY_LIFE = timedelta(hours=24)
_DAY = timedelta(days=1)


class DaysDifferError(LineError):
    """On settled days LINE counted something else than the ledger."""


class Verdict(StrEnum):
    """What comes of holding two figures against each other."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNSETTLED = "not settled"
    NOT_OURS = "not ours"


@dataclass(frozen=True, slots=True)
class Sent:
    """To how many people the ledger says was sent: a span, where it cannot tell exactly."""

    least: int = 0
    most: int | None = 0
    """None if only LINE knows: broadcasts, and messages to groups."""

    def __str__(self) -> str:
        """For people to read."""
        if self.most is None:
            return f"{self.least:,} or more"
        return f"{self.least:,}" if self.least == self.most else f"{self.least:,} to {self.most:,}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of LINE's beside the ledger's."""

    period: str
    method: str
    line_status: str
    line: int | None
    ledger: Sent

    @property
    def verdict(self) -> Verdict:
        """Whether they agree."""
        if self.method == NOT_OURS:
            return Verdict.NOT_OURS
        if self.line is None or self.line_status != "ready":
            return Verdict.UNSETTLED
        fits = self.ledger.least <= self.line and (self.ledger.most is None or self.line <= self.ledger.most)
        return Verdict.EQUAL if fits else Verdict.DIFFERS

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see."""
        return not self.line and self.ledger == Sent()

    def as_row(self) -> dict[str, Any]:
        """For the listing."""
        return {
            "period": self.period,
            "method": self.method,
            "line_status": self.line_status,
            "line": self.line,
            "ledger": str(self.ledger),
            "verdict": self.verdict,
        }


def sent_in(connection: Connection, channel: str, begin: datetime, end: datetime) -> dict[str, Sent]:
    """To how many people the ledger sent in a time, by method.

    A request counts for sure if it was claimed and accepted within that time. If it was claimed before, or found
    accepted only afterwards, or if nobody knows whether it was, it may count.
    """
    accepted, unclear = (
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
            requests.c.claimed_at >= begin - _KEY_LIFE,
            requests.c.claimed_at < end,
            or_(and_(accepted, requests.c.finished_at >= begin), unclear),
        )
        .group_by(requests.c.method)
    )
    return {
        method: Sent(int(least), None if uncounted else int(most))
        for method, least, most, uncounted in connection.execute(query)
    }


def days_between(store: Store, channel: str, first: date | None, last: date | None) -> list[date]:
    """The days to look at: as given, or up to today from the ledger's first, but not more than 30."""
    today = line_date(datetime.now(UTC))
    last = last or today
    if first is None:
        with store.read() as connection:
            oldest = connection.scalar(select(func.min(requests.c.claimed_at)).where(requests.c.channel == channel))
        first = max(line_date(oldest) if oldest else last, last - timedelta(days=_DAYS - 1))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


async def compare(store: Store, config: Mapping[str, Any], days: list[date]) -> list[Compared]:
    """LINE's figures of each day and method beside the ledger's, then those of the month.

    Args:
        store: Where the ledger is.
        config: The target's settings.
        days: Of LINE's calendar.

    Raises:
        LineError: LINE cannot be asked, or there are no credentials.
    """
    channel: str = config["channel"]
    tokens, proxy = token_source_from_config(config), config["use_proxy_from_environment"]
    seconds = config["request_timeout_seconds"]
    compared = []
    with SharedRateLimiter(store, channel, config.get("max_requests_per_second")) as rate_limiter:
        async with LineClient(
            config["api_url"], tokens, rate_limiter, timeout_seconds=seconds, trust_env=proxy
        ) as client:
            for day in days:
                ours = _sent(store, channel, start_of(day), start_of(day) + _DAY)
                for method in (*METHODS, NOT_OURS):
                    said = await _ask(client, f"/v2/bot/message/delivery/{method}", date=f"{day:%Y%m%d}")
                    sent = ours.get(method, Sent())
                    compared.append(Compared(f"{day}", method, str(said.get("status")), said.get("success"), sent))
            compared.append(await _compare_month(client, store, channel))
    return compared


def difference(compared: list[Compared]) -> DaysDifferError | None:
    """The error that differing figures are."""
    differing = [row for row in compared if row.verdict is Verdict.DIFFERS]
    if not differing:
        return None
    named = "; ".join(f"{row.period} {row.method}: LINE {row.line:,}, the ledger {row.ledger}" for row in differing)
    return DaysDifferError(
        f"LINE's counts differ from the ledger: {named}. More at LINE: something else sends on this channel; "
        "fewer: people who had blocked the account are not counted"
    )


async def _compare_month(client: LineClient, store: Store, channel: str) -> Compared:
    """The quota's consumption this month, which goes on and so is never settled."""
    now = datetime.now(UTC)
    today = line_date(now)
    used = await _ask(client, "/v2/bot/message/quota/consumption")
    sent = _sent(store, channel, start_of(today.replace(day=1)), now + _DAY).values()
    most = None if any(each.most is None for each in sent) else sum(each.most or 0 for each in sent)
    return Compared(
        f"{today:%Y-%m}", "quota", "goes on", used.get("totalUsage"), Sent(sum(each.least for each in sent), most)
    )


def _sent(store: Store, channel: str, begin: datetime, end: datetime) -> dict[str, Sent]:
    with store.read() as connection:
        return sent_in(connection, channel, begin, end)


async def _ask(client: LineClient, path: str, **parameters: str) -> dict[str, Any]:
    reply = await client.get(path, params=parameters)
    if error := error_from_response(reply):
        raise error
    return reply.json_object()
