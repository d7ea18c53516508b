"""Account data that is requested before sending: bot, monthly quota, aggregation units."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest

from line_core.api.errors import AuthenticationError, MalformedResponseError
from line_core.api.response import Response
from target_line.sending.account import WrongAccountError, check_account, read_quota, read_units
from target_line.sending.quota import QuotaStatus, quota_refusal_error

if TYPE_CHECKING:
    from line_core.api.client import LineClient

UNITS = "/v2/bot/message/aggregation"


class ScriptedAccount:
    """A client with one response per path and page."""

    def __init__(self, bodies: dict[str, dict[str, Any]], status: int = 200) -> None:
        self._bodies = bodies
        self._status = status
        self.requests: list[str] = []

    async def get(self, path: str, *, params: dict[str, str] | None = None) -> Response:
        key = path if not params or "start" not in params else f"{path}?start={params['start']}"
        self.requests.append(key)
        return Response(f"GET {path}", self._status, {"x-line-request-id": "r"}, json.dumps(self._bodies[key]).encode())

    @property
    def client(self) -> LineClient:
        return cast("LineClient", self)


def test_an_account_other_than_the_expected_one_is_an_error() -> None:
    account = ScriptedAccount({"/v2/bot/info": {"displayName": "Shop", "basicId": "@shop", "userId": "U1"}})
    asyncio.run(check_account(account.client, None))
    asyncio.run(check_account(account.client, "U1"))
    with pytest.raises(WrongAccountError, match=r"Shop \(@shop\).*nothing was sent.*setting: expected_bot_user_id"):
        asyncio.run(check_account(account.client, "U2"))


def test_a_rejected_token_is_an_error() -> None:
    with pytest.raises(AuthenticationError):
        asyncio.run(check_account(ScriptedAccount({"/v2/bot/info": {}}, status=401).client, None))


@pytest.mark.parametrize(
    ("quota", "left"),
    [
        ({"type": "none"}, None),
        ({"type": "limited"}, None),
        ({"type": "limited", "value": 1000}, 400),
        ({"type": "limited", "value": 500}, 0),
    ],
)
def test_the_remaining_quota_is_the_limit_without_the_consumption(quota: dict[str, Any], left: int | None) -> None:
    bodies = {"/v2/bot/message/quota": quota, "/v2/bot/message/quota/consumption": {"totalUsage": 600}}
    assert asyncio.run(read_quota(ScriptedAccount(bodies).client)).left == left


def test_a_response_without_a_required_member_is_malformed() -> None:
    with pytest.raises(MalformedResponseError, match="type is missing"):
        asyncio.run(read_quota(ScriptedAccount({"/v2/bot/message/quota": {}}).client))


def test_units_are_not_requested_if_no_message_has_one() -> None:
    account = ScriptedAccount({})
    assert asyncio.run(read_units(account.client, set())).reserve("new")
    assert account.requests == []


def test_unit_names_are_not_requested_if_all_due_units_fit() -> None:
    account = ScriptedAccount({f"{UNITS}/info": {"numOfCustomAggregationUnits": 998}})
    units = asyncio.run(read_units(account.client, {"a", "b"}))
    assert account.requests == [f"{UNITS}/info"]
    assert [units.reserve(unit) for unit in ("a", "b", "a", "c")] == [True, True, True, False]


def test_known_unit_names_of_all_pages_stay_usable_above_the_monthly_maximum() -> None:
    bodies: dict[str, dict[str, Any]] = {
        f"{UNITS}/info": {"numOfCustomAggregationUnits": 999},
        f"{UNITS}/list": {"customAggregationUnits": ["a"], "next": "2"},
        f"{UNITS}/list?start=2": {"customAggregationUnits": ["b"]},
    }
    units = asyncio.run(read_units(ScriptedAccount(bodies).client, {"a", "b", "c", "d"}))
    assert [units.reserve(unit) for unit in ("a", "b", "c", "d", "c")] == [True, True, True, False, True]


@pytest.mark.parametrize(
    ("limit", "used", "text"),
    [
        (1000, 400, "600 of the monthly quota of 1,000 messages are left"),
        (1000, 1000, "the monthly quota of 1,000 messages is used up"),
        (None, 0, "the monthly quota is used up"),
    ],
)
def test_a_quota_refusal_says_whether_quota_is_left(limit: int | None, used: int, text: str) -> None:
    error = quota_refusal_error(QuotaStatus(limit, used, datetime.now(UTC)), 7)
    assert text in str(error)
    assert "7 messages stay scheduled" in str(error)
