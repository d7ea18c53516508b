"""The tap's settings, as the SDK's JSON schema; README and docs are made from it."""

from __future__ import annotations

from singer_sdk import typing as th

from line_core.store import DEFAULT_STORE_URL
from tap_line.people import ProfileSource

DEFAULT_API_URL = "https://api.line.me"
DEFAULT_API_DATA_URL = "https://api-data.line.me"
DEFAULT_CHANNEL = "main"


CONFIG_JSONSCHEMA = th.PropertiesList(
    th.Property(
        "channel_access_token",
        th.StringType,
        secret=True,
        title="Channel access token",
        description="Long-lived channel access token (LINE Developers console, tab Messaging API). "
        "Instead of it: channel_id with channel_secret, or with assertion_key.",
    ),
    th.Property(
        "channel_id",
        th.StringType,
        title="Channel ID",
        description="Channel ID (LINE Developers console, tab Basic settings), to issue tokens with.",
    ),
    th.Property(
        "channel_secret",
        th.StringType,
        secret=True,
        title="Channel secret",
        description="Channel secret (tab Basic settings): issues short-lived stateless tokens, renewed by themselves.",
    ),
    th.Property(
        "assertion_key",
        th.StringType,
        secret=True,
        title="Assertion signing key",
        description="Private assertion signing key as a JWK (JSON text): issues tokens v2.1.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        default=DEFAULT_API_URL,
        title="API URL",
        description="Base URL of the Messaging API; a sandbox's URL for rehearsals.",
    ),
    th.Property(
        "api_data_url",
        th.StringType,
        default=DEFAULT_API_DATA_URL,
        title="Data API URL",
        description="Base URL for message contents and rich menu images.",
    ),
    th.Property(
        "store_url",
        th.StringType,
        secret=True,
        default=DEFAULT_STORE_URL,
        title="Store URL",
        description="Database with the inbox: sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/DB.",
    ),
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
        description="First day of the daily statistics (yyyy-mm-dd, in LINE's time zone, UTC+9).",
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
    th.Property(
        "max_requests_per_second",
        th.NumberType(exclusive_minimum=0),
        title="Requests per second",
        description="Ask LINE at most this often; default LINE's own limit of each endpoint.",
    ),
    th.Property(
        "use_proxy_from_environment",
        th.BooleanType,
        default=False,
        title="Proxy from environment",
        description="Reach LINE through the proxy that HTTPS_PROXY and the like name.",
    ),
).to_dict()
