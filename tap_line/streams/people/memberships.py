"""Membership plans, and the people subscribed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotFoundError
from tap_line.base.api_stream import ApiStream
from tap_line.base.bulk_stream import BulkPage, BulkRequest, BulkStream
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from line_core.api.client import LineClient
    from line_core.api.response import Response

_PLANS_PATH = "/v2/bot/membership/list"
_PAGE_SIZE = 1000


class Memberships(ApiStream):
    """The membership plans of the account."""

    description = "The membership plans of the account."
    name = "memberships"
    path = _PLANS_PATH
    records_key = "memberships"
    empty_on_errors = (NotFoundError,)
    primary_keys: ClassVar[tuple[str, ...]] = ("membership_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("membership_id", th.IntegerType, required=True, description="ID of the plan"),
        th.Property("title", th.StringType, description="Name of the plan"),
        th.Property("description", th.StringType, description="Description of the plan"),
        th.Property("benefits", th.ArrayType(th.StringType), description="Benefits for members"),
        th.Property("price", th.NumberType, description="Price per month, in currency"),
        th.Property("currency", th.StringType, description="JPY, TWD or THB"),
        th.Property("member_count", th.IntegerType, description="Number of members"),
        th.Property("member_limit", th.IntegerType, description="Maximum number of members; null if unlimited"),
        th.Property("is_in_app_purchase", th.BooleanType, description="Whether members pay in the LINE app"),
        th.Property("is_published", th.BooleanType, description="Whether people can join the plan"),
    ).to_dict()


class MembershipUsers(BulkStream):
    """The members of each membership plan, with the date of joining. One request per member."""

    description = "The members of each membership plan, with the date of joining. One request per member."
    name = "membership_users"
    path = "/v2/bot/membership/subscription/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("membership_id", "line_id")
    unix_time_columns = ("joined_time",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("membership_id", th.IntegerType, required=True, description="ID of the plan"),
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the member"),
        th.Property("membership_no", th.IntegerType, description="Membership number within the plan"),
        th.Property("joined_time", th.DateTimeType, description="Time of joining"),
        th.Property("next_billing_date", th.DateType, description="Next billing date, in LINE's time zone (UTC+9)"),
        th.Property("total_subscription_months", th.IntegerType, description="Number of months subscribed"),
        th.Property("observed_at", th.DateTimeType, description="Time of the request"),
    ).to_dict()

    def start_position(self) -> ListingPosition:
        """Return the position of the first member of the first plan."""
        return ListingPosition(now(), "0")

    async def pages(self, client: LineClient, position: ListingPosition) -> AsyncIterator[BulkPage]:
        """Yield a request per member, plan by plan. The `source` of the position is the plan's ID."""
        response = await client.get(_PLANS_PATH)
        if isinstance(self.error_in(response), NotFoundError):
            return
        plans = sorted(plan["membershipId"] for plan in self.list_in(response, "memberships"))
        for plan in plans:
            if plan < int(position.source):
                continue
            start = position.after if plan == int(position.source) else None
            async for members, next_token in self._member_pages(client, plan, start):
                requests = [
                    BulkRequest(self.path.format(line_id=each), {"userId": each, "membershipId": plan})
                    for each in members
                ]
                if next_token:
                    yield BulkPage(requests, position.moved_to(str(plan), next_token))
                else:
                    yield BulkPage(requests, position.moved_to(str(plan + 1), None) if plan != plans[-1] else None)

    async def _member_pages(
        self, client: LineClient, plan: int, start: str | None
    ) -> AsyncIterator[tuple[list[str], str | None]]:
        """Yield pages of member IDs, each with the continuation token of the next page."""
        while True:
            params = {"limit": str(_PAGE_SIZE)} | ({"start": start} if start else {})
            response = await client.get(f"/v2/bot/membership/{plan}/users/ids", params=params)
            members = self.list_in(response, "userIds")
            start = response.json_object().get("next")
            yield members, start
            if start is None:
                return

    def records_for(self, request: BulkRequest, response: Response) -> list[dict[str, Any]]:
        """Return the member's subscription to the plan, or no record if the person has left."""
        if isinstance(self.error_in(response), NotFoundError):
            return []
        return [
            {**request.known_fields, **(each.get("user") or {}), "observed_at": now().isoformat()}
            for each in self.list_in(response, "subscriptions")
            if (each.get("membership") or {}).get("membershipId") == request.known_fields["membershipId"]
        ]
