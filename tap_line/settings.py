"""The tap's settings, as a JSON schema of the SDK. `make docs` generates the settings page from it."""

from __future__ import annotations

from singer_sdk import typing as th

from line_core.singer.settings import (
    API_URL,
    CREDENTIALS,
    MAX_REQUESTS_PER_SECOND,
    REQUEST_TIMEOUT_SECONDS,
    STORE_URL,
    USE_PROXY,
)
from tap_line.listing.person_listing import ProfileSource

DEFAULT_API_DATA_URL = "https://api-data.line.me"
DEFAULT_CHANNEL = "main"

CONFIG_JSONSCHEMA = th.PropertiesList(
    *CREDENTIALS,
    API_URL,
    th.Property(
        "api_data_url",
        th.StringType,
        default=DEFAULT_API_DATA_URL,
        title="Data API URL",
        description="Base URL of the API for message contents.",
    ),
    th.Property(
        "content_directory",
        th.StringType,
        title="Content directory",
        description="Directory for the images, videos, audio and files that people sent. Default: contents are listed, "
        "but not downloaded.",
    ),
    STORE_URL,
    th.Property(
        "channel",
        th.StringType,
        title="Channel name",
        description="This channel's name in the receiver. If set, only this channel's events are read. Default: the "
        "events of all channels are read, and the tap's own data is stored under the inbox's only channel, or `main`.",
    ),
    th.Property(
        "inbox_reader",
        th.StringType,
        default="tap-line",
        title="Inbox reader",
        description="Name under which this pipeline stores its position in the inbox, so that the receiver can remove "
        "old events. Pipelines that share a store need different names.",
    ),
    th.Property(
        "start_date",
        th.DateType,
        title="Start date",
        description="First day of the daily statistics (yyyy-mm-dd, in LINE's time zone, UTC+9). Default: 30 days "
        "before the first run.",
    ),
    th.Property(
        "statistics_lookback_days",
        th.IntegerType(minimum=0),
        default=3,
        title="Statistics lookback days",
        description="Number of days before today whose daily statistics are read again, because LINE revises them.",
    ),
    th.Property(
        "profile_source",
        th.StringType,
        default=ProfileSource.FOLLOWERS.value,
        allowed_values=[*ProfileSource],
        title="Profile source",
        description="People whose profiles are fetched: followers (LINE's list, for verified and premium accounts), "
        "inbox (all people in the store: senders of webhook events, and followers of earlier lists), or both.",
    ),
    th.Property(
        "refresh_profiles_after_days",
        th.NumberType(exclusive_minimum=0),
        title="Refresh profiles after days",
        description="Minimum number of days between two fetches of a profile. Default: each run fetches all profiles.",
    ),
    MAX_REQUESTS_PER_SECOND,
    REQUEST_TIMEOUT_SECONDS,
    USE_PROXY,
).to_dict()
