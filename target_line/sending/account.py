"""Data of the account that is requested from LINE before messages are sent: bot, monthly quota, aggregation units.

Sources: LINE Messaging API reference, "Get bot info", "Get the target limit for sending messages this month", "Get the
number of unit name types assigned during this month", "Get a list of unit names assigned during this month".
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.api.errors import MalformedResponseError, error_from_response
from line_core.errors import LineError
from target_line.sending.quota import QuotaStatus

if TYPE_CHECKING:
    from collections.abc import Collection

    from line_core.api.client import LineClient

UNITS_PER_MONTH = 1000
"""Unit names that LINE accepts in a month. Messages with further names are sent without a unit, without an error."""

_logger = logging.getLogger("target-line.sending")


class WrongAccountError(LineError):
    """The token belongs to another account than expected."""


class MonthlyUnits:
    """Custom aggregation units of the current month."""

    def __init__(self, known: Collection[str] = (), available: int = UNITS_PER_MONTH) -> None:
        """Store the units.

        Args:
            known: Units that LINE already has this month.
            available: Number of further units that LINE accepts.
        """
        self._known = set(known)
        self._available = available

    def reserve(self, unit: str) -> bool:
        """Return whether LINE accepts the unit. A new unit takes one of the available ones."""
        if unit in self._known:
            return True
        if self._available <= 0:
            return False
        self._known.add(unit)
        self._available -= 1
        return True


async def check_account(client: LineClient, expected_bot_user_id: str | None) -> str:
    """Log the account that the token belongs to, and check it.

    Returns:
        The bot user id of the account.

    Raises:
        WrongAccountError: It is not the expected account. Its users are not the expected recipients.
        LineError: LINE rejects the token, or cannot be reached.
    """
    bot = await _get(client, "/v2/bot/info")
    _logger.info(
        "the token belongs to %s (%s), bot user id %s", bot.get("displayName"), bot.get("basicId"), bot.get("userId")
    )
    if expected_bot_user_id and bot.get("userId") != expected_bot_user_id:
        raise WrongAccountError(
            f"the token belongs to {bot.get('displayName')} ({bot.get('basicId')}), whose bot user id is "
            f"{bot.get('userId')}, not {expected_bot_user_id}; nothing was sent",
            setting="expected_bot_user_id",
        )
    return str(bot.get("userId"))


async def read_quota(client: LineClient, read_at: datetime | None = None) -> QuotaStatus:
    """Request the monthly quota and its consumption.

    Args:
        client: An open client.
        read_at: The time by the store's clock, to compare with claims; default: the machine's clock.

    Raises:
        LineError: The requests failed.
    """
    read_at = read_at or datetime.now(UTC)
    quota = await _get(client, "/v2/bot/message/quota", required="type")
    if quota["type"] != "limited" or "value" not in quota:
        return QuotaStatus(None, 0, read_at)
    consumption = await _get(client, "/v2/bot/message/quota/consumption", required="totalUsage")
    return QuotaStatus(int(quota["value"]), int(consumption["totalUsage"]), read_at)


async def read_units(client: LineClient, due: Collection[str]) -> MonthlyUnits:
    """Request the aggregation units of this month, unless no due message has one.

    Args:
        client: An open client.
        due: Units of the due messages.

    Raises:
        LineError: A request failed.
    """
    if not due:
        return MonthlyUnits()
    info = await _get(client, "/v2/bot/message/aggregation/info", required="numOfCustomAggregationUnits")
    available = UNITS_PER_MONTH - int(info["numOfCustomAggregationUnits"])
    if available >= len(due):
        return MonthlyUnits(available=available)
    known: list[str] = []
    params = {"limit": "100"}
    while True:
        page = await _get(client, "/v2/bot/message/aggregation/list", params, required="customAggregationUnits")
        known += page["customAggregationUnits"]
        if not page.get("next"):
            return MonthlyUnits(known, available)
        params["start"] = page["next"]


async def _get(
    client: LineClient, path: str, params: dict[str, str] | None = None, *, required: str | None = None
) -> dict[str, Any]:
    """Return the JSON object of a response; `required` is a member that it must have."""
    response = await client.get(path, params=params)
    if error := error_from_response(response):
        raise error
    body = response.json_object()
    if required and required not in body:
        raise MalformedResponseError(
            response.endpoint, reason=f"{required} is missing", status=response.status, request_id=response.request_id
        )
    return body
