"""Marketing: target audiences and coupons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from singer_sdk.pagination import BaseAPIPaginator

from tap_line.base.api_stream import ApiStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import requests
    from singer_sdk.helpers.types import Context, Record

_AUDIENCE_GROUP_ID = th.Property("audience_group_id", th.IntegerType, required=True, description="ID of the audience")
_AUDIENCE = (
    _AUDIENCE_GROUP_ID,
    th.Property("type", th.StringType, description="UPLOAD, CLICK, IMP, CHAT_TAG, FRIEND_PATH and others"),
    th.Property("description", th.StringType, description="Name of the audience"),
    th.Property("status", th.StringType, description="IN_PROGRESS, READY, FAILED, EXPIRED, INACTIVE or ACTIVATING"),
    th.Property("failed_type", th.StringType, description="Why it failed"),
    th.Property("audience_count", th.IntegerType, description="People in it; 0 below 20, except of uploaded ids"),
    th.Property("created", th.DateTimeType, description="When it was made"),
    th.Property("expire_timestamp", th.DateTimeType, description="When it ends"),
    th.Property("request_id", th.StringType, description="Request whose clicks or impressions it was made from"),
    th.Property("click_url", th.StringType, description="URL whose clicks it was made from"),
    th.Property("is_ifa_audience", th.BooleanType, description="Whether it holds advertisers' ids"),
    th.Property("permission", th.StringType, description="READ or READ_WRITE"),
    th.Property("create_route", th.StringType, description="OA_MANAGER, MESSAGING_API, POINT_AD or AD_MANAGER"),
)


class PageNumberPaginator(BaseAPIPaginator[int]):
    """Counts pages while LINE says that there is another."""

    def __init__(self) -> None:
        """Begin with page 1."""
        super().__init__(1)

    def has_more(self, response: requests.Response) -> bool:
        """Whether LINE says so."""
        return bool(response.json().get("hasNextPage"))

    def get_next(self, response: requests.Response) -> int:  # noqa: ARG002 - the SDK's signature
        """The next number."""
        return self.current_value + 1


class AudienceGroups(ApiStream):
    """The target audiences of the account."""

    name = "audience_groups"
    path = "/v2/bot/audienceGroup/list"
    records_key = "audienceGroups"
    primary_keys: ClassVar[tuple[str, ...]] = ("audience_group_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(*_AUDIENCE).to_dict()

    def get_new_paginator(self) -> PageNumberPaginator:
        """Page numbers."""
        return PageNumberPaginator()

    def get_url_params(self, context: Context | None, next_page_token: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - the SDK's signature
        """Forty at a time, LINE's most."""
        return {"page": next_page_token, "size": 40}

    def get_child_context(self, record: Record, context: Context | None) -> Context:  # noqa: ARG002 - the SDK's signature
        """What tells the audience's jobs."""
        return {"audience_group_id": record["audience_group_id"]}

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Give times their form."""
        return with_times(super().post_process(row, context), "created", "expire_timestamp")


class SharedAudienceGroups(AudienceGroups):
    """The audiences that Business Manager shares with the account."""

    name = "shared_audience_groups"
    path = "/v2/bot/audienceGroup/shared/list"


class AudienceGroupJobs(ApiStream):
    """The uploads to each audience: one request for each audience, of which LINE allows 60 a minute."""

    name = "audience_group_jobs"
    path = "/v2/bot/audienceGroup/{audience_group_id}"
    parent_stream_type = AudienceGroups
    state_partitioning_keys: ClassVar[tuple[str, ...]] = ()
    records_key = "jobs"
    primary_keys: ClassVar[tuple[str, ...]] = ("audience_group_job_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("audience_group_job_id", th.IntegerType, required=True, description="ID of the job"),
        _AUDIENCE_GROUP_ID,
        th.Property("description", th.StringType, description="Name of the job"),
        th.Property("type", th.StringType, description="DIFF_ADD: ids are added"),
        th.Property("job_status", th.StringType, description="QUEUED, WORKING, FINISHED or FAILED"),
        th.Property("failed_type", th.StringType, description="Why it failed"),
        th.Property("audience_count", th.IntegerType, description="Ids in the upload"),
        th.Property("created", th.DateTimeType, description="When it was made"),
    ).to_dict()

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Give times their form."""
        return with_times(super().post_process(row, context), "created")


class Coupons(ApiStream):
    """The account's coupons, in full."""

    name = "coupons"
    path = "/v2/bot/coupon"
    records_key = "items"
    page_size = 100
    primary_keys: ClassVar[tuple[str, ...]] = ("coupon_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("coupon_id", th.StringType, required=True, description="ID of the coupon"),
        th.Property("title", th.StringType, description="Title"),
        th.Property("description", th.StringType, description="Description"),
        th.Property("status", th.StringType, description="DRAFT, RUNNING or CLOSED"),
        th.Property("visibility", th.StringType, description="UNLISTED, PUBLIC or PRIVATE"),
        th.Property("start_timestamp", th.DateTimeType, description="First moment of use"),
        th.Property("end_timestamp", th.DateTimeType, description="Last moment of use"),
        th.Property("created_timestamp", th.DateTimeType, description="When it was made"),
        th.Property("timezone", th.StringType, description="Time zone that its times are shown in"),
        th.Property("coupon_code", th.StringType, description="Code to show"),
        th.Property("image_url", th.StringType, description="URL of its image"),
        th.Property("barcode_image_url", th.StringType, description="URL of its barcode"),
        th.Property("usage_condition", th.StringType, description="Conditions of use"),
        th.Property("max_acquire_count", th.IntegerType, description="How many may be got in all"),
        th.Property("max_ticket_per_user", th.IntegerType, description="How many a person may get"),
        th.Property("max_use_count_per_ticket", th.IntegerType, description="How often one may be used"),
        th.Property("reward", th.ObjectType(additional_properties=True), description="What it gives, as LINE has it"),
        th.Property(
            "acquisition_condition",
            th.ObjectType(additional_properties=True),
            description="How it is got, as LINE has it",
        ),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Each coupon of the list, with its details."""
        for coupon in super().read(context):
            yield {**coupon, **self.fetch(f"{self.path}/{coupon['couponId']}").json_object()}

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Give times their form."""
        return with_times(super().post_process(row, context), "start_timestamp", "end_timestamp", "created_timestamp")


def with_times(row: Mapping[str, Any] | None, *columns: str) -> dict[str, Any]:
    """A record with some columns turned from Unix seconds to date-times."""
    record = dict(row or {})
    for column in columns:
        if record.get(column) is not None:
            record[column] = datetime.fromtimestamp(record[column], UTC).isoformat()
    return record
