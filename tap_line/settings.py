"""The tap's settings, as the SDK's JSON schema; README and docs are made from it."""

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
        description="Base URL of message contents.",
    ),
    th.Property(
        "content_directory",
        th.StringType,
        title="Content directory",
        description="Directory for the pictures, films, sound and files that people sent; default: they are listed, "
        "and not fetched.",
    ),
    STORE_URL,
    th.Property(
        "channel",
        th.StringType,
        title="Channel name",
        description="This channel's name in the receiver. Given: only its events are read. Default: the events of all "
        "channels are; what the tap itself finds out is kept under the inbox's only channel, or else `main`.",
    ),
    th.Property(
        "inbox_reader",
        th.StringType,
        default="tap-line",
        title="Inbox reader",
        description="Name under which this pipeline notes how far it has read the inbox, so that the receiver may "
        "remove old events; each of several pipelines on one store needs its own.",
    ),
    th.Property(
        "start_date",
        th.DateType,
        title="Start date",
        description="First day of the daily statistics (yyyy-mm-dd, in LINE's time zone, UTC+9); default 30 days "
        "before the first run.",
    ),
    th.Property(
        "statistics_lookback_days",
        th.IntegerType(minimum=0),
        default=3,
        title="Lookback of statistics",
        description="Daily statistics of so many days before today are read again, since they settle late.",
    ),
    th.Property(
        "profile_source",
        th.StringType,
        default=ProfileSource.FOLLOWERS.value,
        allowed_values=[*ProfileSource],
        title="Profile source",
        description="Whose profiles to fetch: followers (as LINE lists them for verified and premium accounts), inbox "
        "(everybody the store knows: who sent a webhook event or was listed before), or both.",
    ),
    th.Property(
        "refresh_profiles_after_days",
        th.NumberType(exclusive_minimum=0),
        title="Refresh profiles after",
        description="Do not fetch a profile again before so many days; default: fetch all in every run.",
    ),
    MAX_REQUESTS_PER_SECOND,
    REQUEST_TIMEOUT_SECONDS,
    USE_PROXY,
).to_dict()
