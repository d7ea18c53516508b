"""Coupons of the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.api_stream import ApiStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class Coupons(ApiStream):
    """The coupons of the account, with all details."""

    description = "The coupons of the account, with all details."
    name = "coupons"
    path = "/v2/bot/coupon"
    records_key = "items"
    page_size = 100
    primary_keys: ClassVar[tuple[str, ...]] = ("coupon_id",)
    unix_time_columns = ("start_timestamp", "end_timestamp", "created_timestamp")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("coupon_id", th.StringType, required=True, description="ID of the coupon"),
        th.Property("title", th.StringType, description="Title"),
        th.Property("description", th.StringType, description="Description"),
        th.Property("status", th.StringType, description="DRAFT, RUNNING or CLOSED"),
        th.Property("visibility", th.StringType, description="UNLISTED, PUBLIC or PRIVATE"),
        th.Property("start_timestamp", th.DateTimeType, description="Start of validity"),
        th.Property("end_timestamp", th.DateTimeType, description="End of validity"),
        th.Property("created_timestamp", th.DateTimeType, description="Time of creation"),
        th.Property("timezone", th.StringType, description="Time zone in which LINE shows the times"),
        th.Property("coupon_code", th.StringType, description="Coupon code"),
        th.Property("image_url", th.StringType, description="URL of the image"),
        th.Property("barcode_image_url", th.StringType, description="URL of the barcode image"),
        th.Property("usage_condition", th.StringType, description="Conditions of use"),
        th.Property("max_acquire_count", th.IntegerType, description="Maximum number of coupons issued in total"),
        th.Property("max_ticket_per_user", th.IntegerType, description="Maximum number of coupons per person"),
        th.Property("max_use_count_per_ticket", th.IntegerType, description="Maximum number of uses per coupon"),
        th.Property("reward", th.ObjectType(additional_properties=True), description="Reward, in LINE's format"),
        th.Property(
            "acquisition_condition",
            th.ObjectType(additional_properties=True),
            description="Conditions of acquisition, in LINE's format",
        ),
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield each coupon of the list with its details. One request per coupon."""
        for coupon in super().read_records(context):
            yield {**coupon, **self.fetch(f"{self.path}/{coupon['couponId']}").json_object()}
