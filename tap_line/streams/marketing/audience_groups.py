"""Target audiences (audience groups), and the upload jobs of each audience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.api_stream import ApiStream
from tap_line.base.pagination import NumberedPagePaginator

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record

_PAGE_SIZE = 40  # LINE's maximum

_AUDIENCE_GROUP_ID = th.Property("audience_group_id", th.IntegerType, required=True, description="ID of the audience")
_AUDIENCE_COLUMNS = (
    _AUDIENCE_GROUP_ID,
    th.Property("type", th.StringType, description="UPLOAD, CLICK, IMP, CHAT_TAG, FRIEND_PATH and others"),
    th.Property("description", th.StringType, description="Name of the audience"),
    th.Property("status", th.StringType, description="IN_PROGRESS, READY, FAILED, EXPIRED, INACTIVE or ACTIVATING"),
    th.Property("failed_type", th.StringType, description="Failure reason"),
    th.Property(
        "audience_count", th.IntegerType, description="Number of people; 0 if fewer than 20, except for uploaded IDs"
    ),
    th.Property("created", th.DateTimeType, description="Time of creation"),
    th.Property("expire_timestamp", th.DateTimeType, description="Time of expiry"),
    th.Property("request_id", th.StringType, description="Request whose clicks or impressions define the audience"),
    th.Property("click_url", th.StringType, description="URL whose clicks define the audience"),
    th.Property("is_ifa_audience", th.BooleanType, description="Whether it contains advertising IDs (IFA)"),
    th.Property("permission", th.StringType, description="READ or READ_WRITE"),
    th.Property("create_route", th.StringType, description="OA_MANAGER, MESSAGING_API, POINT_AD or AD_MANAGER"),
)


class AudienceGroups(ApiStream):
    """The target audiences of the account."""

    description = "The target audiences of the account."
    name = "audience_groups"
    path = "/v2/bot/audienceGroup/list"
    records_key = "audienceGroups"
    primary_keys: ClassVar[tuple[str, ...]] = ("audience_group_id",)
    unix_time_columns = ("created", "expire_timestamp")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(*_AUDIENCE_COLUMNS).to_dict()

    def get_new_paginator(self) -> NumberedPagePaginator:
        return NumberedPagePaginator()

    def get_url_params(self, context: Context | None, next_page_token: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - the SDK's signature
        """Return the page number and the page size as query parameters."""
        return {"page": next_page_token, "size": _PAGE_SIZE}

    def get_child_context(self, record: Record, context: Context | None) -> Context:  # noqa: ARG002 - the SDK's signature
        """Return the audience's ID for the stream `audience_group_jobs`."""
        return {"audience_group_id": record["audience_group_id"]}


class SharedAudienceGroups(AudienceGroups):
    """The audiences that Business Manager shares with the account."""

    description = "The audiences that Business Manager shares with the account."
    name = "shared_audience_groups"
    path = "/v2/bot/audienceGroup/shared/list"
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(*_AUDIENCE_COLUMNS).to_dict()


class AudienceGroupJobs(ApiStream):
    """The upload jobs of each audience. One request per audience; LINE allows 60 per minute."""

    description = "The upload jobs of each audience. One request per audience; LINE allows 60 per minute."
    name = "audience_group_jobs"
    path = "/v2/bot/audienceGroup/{audience_group_id}"
    parent_stream_type = AudienceGroups
    state_partitioning_keys: ClassVar[tuple[str, ...]] = ()
    records_key = "jobs"
    primary_keys: ClassVar[tuple[str, ...]] = ("audience_group_job_id",)
    unix_time_columns = ("created",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("audience_group_job_id", th.IntegerType, required=True, description="ID of the job"),
        _AUDIENCE_GROUP_ID,
        th.Property("description", th.StringType, description="Name of the job"),
        th.Property("type", th.StringType, description="DIFF_ADD (IDs are added)"),
        th.Property("job_status", th.StringType, description="QUEUED, WORKING, FINISHED or FAILED"),
        th.Property("failed_type", th.StringType, description="Failure reason"),
        th.Property("audience_count", th.IntegerType, description="Number of IDs in the upload"),
        th.Property("created", th.DateTimeType, description="Time of creation"),
    ).to_dict()
