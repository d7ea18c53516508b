"""What is asked of LINE before anything is sent: whose account this is, what it may still send, which units it has.

Sources: LINE Messaging API reference, "Get bot info", "Get the target limit for sending messages this month", "Get the
number of unit name types assigned during this month", "Get a list of unit names assigned during this month".
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.api.errors import MalformedResponseError, error_from_response
from line_core.errors import LineError
from target_line.sending.claim.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Collection

    from line_core.api.client import LineClient

UNITS_A_MONTH = 1000
"""LINE sends a message with one more unit name without its unit, and says nothing."""

_logger = logging.getLogger("target-line.sending")


class WrongAccountError(LineError):
    """The token belongs to another account than expected."""


class Units:
    """Which custom aggregation units may be used this month."""

    def __init__(self, known: Collection[str] = (), room: int = UNITS_A_MONTH) -> None:
        """Begin with what LINE has.

        Args:
            known: Units that LINE has already this month.
            room: How many more it takes.
        """
        self._known = set(known)
        self._room = room

    def admit(self, unit: str) -> bool:
        """Whether a message with that unit keeps it; a new one takes up room."""
        if unit in self._known:
            return True
        if self._room <= 0:
            return False
        self._known.add(unit)
        self._room -= 1
        return True


async def check_account(client: LineClient, expected_bot_user_id: str | None) -> None:
    """Ask LINE whose token this is.

    Raises:
        WrongAccountError: Not the expected account's: messages would go to strangers, or to nobody.
        LineError: LINE refuses the token, or cannot be asked.
    """
    bot = await _read(client, "/v2/bot/info")
    _logger.info(
        "the token is %s's (%s), bot user id %s", bot.get("displayName"), bot.get("basicId"), bot.get("userId")
    )
    if expected_bot_user_id and bot.get("userId") != expected_bot_user_id:
        raise WrongAccountError(
            f"the token belongs to {bot.get('displayName')} ({bot.get('basicId')}), whose bot user id is "
            f"{bot.get('userId')}, not {expected_bot_user_id}; nothing was sent",
            setting="expected_bot_user_id",
        )


async def read_quota(client: LineClient) -> Quota:
    """Ask LINE for the month's quota and its consumption.

    Raises:
        LineError: LINE cannot be asked.
    """
    read_at = datetime.now(UTC)
    quota = await _read(client, "/v2/bot/message/quota", needed="type")
    if quota["type"] != "limited" or "value" not in quota:
        return Quota(None, 0, read_at)
    consumption = await _read(client, "/v2/bot/message/quota/consumption", needed="totalUsage")
    return Quota(int(quota["value"]), int(consumption["totalUsage"]), read_at)


async def read_units(client: LineClient, due: Collection[str]) -> Units:
    """Ask LINE which units it has this month; only if there are any to send.

    Args:
        client: An open client.
        due: Units of the messages that are due.

    Raises:
        LineError: LINE cannot be asked.
    """
    if not due:
        return Units()
    info = await _read(client, "/v2/bot/message/aggregation/info", needed="numOfCustomAggregationUnits")
    room = UNITS_A_MONTH - int(info["numOfCustomAggregationUnits"])
    if room >= len(due):
        return Units(room=room)
    known: list[str] = []
    params = {"limit": "100"}
    while True:
        page = await _read(client, "/v2/bot/message/aggregation/list", params, needed="customAggregationUnits")
        known += page["customAggregationUnits"]
        if not page.get("next"):
            return Units(known, room)
        params["start"] = page["next"]


async def _read(
    client: LineClient, path: str, params: dict[str, str] | None = None, *, needed: str | None = None
) -> dict[str, Any]:
    reply = await client.get(path, params=params)
    if error := error_from_response(reply):
        raise error
    answer = reply.json_object()
    if needed and needed not in answer:
        raise MalformedResponseError(
            reply.endpoint, reason=f"{needed} is missing", status=reply.status, request_id=reply.request_id
        )
    return answer
