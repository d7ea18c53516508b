"""Memberships: the plans on offer, and who is on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotFoundError, error_from_response
from tap_line.base.api_stream import ApiStream
from tap_line.base.bulk_stream import BulkStream, Page, Question
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from line_core.api.client import LineClient
    from line_core.api.response import Response

_PLANS_PATH = "/v2/bot/membership/list"
_PAGE_SIZE = 1000


class Memberships(ApiStream):
    """The membership plans on offer."""

    name = "memberships"
    path = _PLANS_PATH
    records_key = "memberships"
    nothing_if = (NotFoundError,)
    primary_keys: ClassVar[tuple[str, ...]] = ("membership_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("membership_id", th.IntegerType, required=True, description="ID of the plan"),
        th.Property("title", th.StringType, description="Name of the plan"),
        th.Property("description", th.StringType, description="Description of the plan"),
        th.Property("benefits", th.ArrayType(th.StringType), description="What members get"),
        th.Property("price", th.NumberType, description="Price of a month, in currency"),
        th.Property("currency", th.StringType, description="JPY, TWD or THB"),
        th.Property("member_count", th.IntegerType, description="How many people are on it"),
        th.Property("member_limit", th.IntegerType, description="How many may be; null: any number"),
        th.Property("is_in_app_purchase", th.BooleanType, description="Whether it is paid in the LINE app"),
        th.Property("is_published", th.BooleanType, description="Whether it is on offer"),
    ).to_dict()


class MembershipUsers(BulkStream):
    """Who is on which membership plan, and since when: one request for each person."""

    name = "membership_users"
    path = "/v2/bot/membership/subscription/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("membership_id", "line_id")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("membership_id", th.IntegerType, required=True, description="ID of the plan"),
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property("membership_no", th.IntegerType, description="Number of the person among the plan's members"),
        th.Property("joined_time", th.DateTimeType, description="When the person joined"),
        th.Property("next_billing_date", th.DateType, description="Next billing, in LINE's time zone (UTC+9)"),
        th.Property("total_subscription_months", th.IntegerType, description="Months on the plan"),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def first_scan(self) -> ListingPosition:
        """From the first member of the first plan."""
        return ListingPosition(now(), "0")

    async def pages(self, client: LineClient, scan: ListingPosition) -> AsyncIterator[Page]:
        """A question for each member, plan by plan; the scan's source is the plan's id."""
        reply = await client.get(_PLANS_PATH)
        error = error_from_response(reply, credentials_setting=self.tap.tokens.setting)
        if isinstance(error, NotFoundError):
            return
        plans = sorted(plan["membershipId"] for plan in self.list_of(reply, "memberships"))
        for plan in plans:
            if plan < int(scan.source):
                continue
            after = scan.after if plan == int(scan.source) else None
            async for members, then in self._members(client, plan, after):
                rest = scan.at(str(plan), then) if then else scan.at(str(plan + 1), None)
                yield Page(
                    [
                        Question(self.path.format(line_id=each), {"userId": each, "membershipId": plan})
                        for each in members
                    ],
                    rest if then or plan != plans[-1] else None,
                )

    async def _members(
        self, client: LineClient, plan: int, after: str | None
    ) -> AsyncIterator[tuple[list[str], str | None]]:
        while True:
            params = {"limit": str(_PAGE_SIZE)} | ({"start": after} if after else {})
            reply = await client.get(f"/v2/bot/membership/{plan}/users/ids", params=params)
            members = self.list_of(reply, "userIds")
            after = reply.json_object().get("next")
            yield members, after
            if after is None:
                return

    def records_about(self, question: Question, reply: Response) -> list[dict[str, Any]]:
        """The person's subscription to the plan."""
        error = error_from_response(reply, credentials_setting=self.tap.tokens.setting)
        if isinstance(error, NotFoundError):
            return []  # left the plan since the list was made
        subscriptions = self.list_of(reply, "subscriptions")
        return [
            {**question.known, **_terms(each.get("user") or {}), "observed_at": now().isoformat()}
            for each in subscriptions
            if (each.get("membership") or {}).get("membershipId") == question.known["membershipId"]
        ]


def _terms(user: dict[str, Any]) -> dict[str, Any]:
    joined = user.get("joinedTime")
    return {**user, "joinedTime": datetime.fromtimestamp(joined, UTC).isoformat() if joined else None}
