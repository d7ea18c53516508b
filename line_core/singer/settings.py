"""The settings that tap and target share, word for word."""

from __future__ import annotations

from singer_sdk import typing as th

from line_core.store import DEFAULT_STORE_URL

DEFAULT_API_URL = "https://api.line.me"

CREDENTIALS = (
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
)
API_URL = th.Property(
    "api_url",
    th.StringType,
    default=DEFAULT_API_URL,
    title="API URL",
    description="Base URL of the Messaging API; a sandbox's URL for rehearsals.",
)
STORE_URL = th.Property(
    "store_url",
    th.StringType,
    secret=True,
    default=DEFAULT_STORE_URL,
    title="Store URL",
    description="Database of inbox, identity, ledger and rejects: sqlite:///PATH or "
    "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.",
)
MAX_REQUESTS_PER_SECOND = th.Property(
    "max_requests_per_second",
    th.NumberType(exclusive_minimum=0),
    title="Requests per second",
    description="Ask LINE at most this often in each process; default LINE's own limit of each endpoint, which all "
    "processes that use the same store and channel name share.",
)
USE_PROXY = th.Property(
    "use_proxy_from_environment",
    th.BooleanType,
    default=False,
    title="Proxy from environment",
    description="Reach LINE through the proxy that HTTPS_PROXY and the like name.",
)
REQUEST_TIMEOUT_SECONDS = th.Property(
    "request_timeout_seconds",
    th.IntegerType(minimum=1),
    default=30,
    title="Request timeout",
    description="Give a request up after so many seconds; whether it is tried again depends on what it was.",
)
