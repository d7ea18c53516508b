"""Settings that tap and target share."""

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
        "Alternatives: channel_id with channel_secret, or channel_id with assertion_key.",
    ),
    th.Property(
        "channel_id",
        th.StringType,
        title="Channel ID",
        description="Channel ID (LINE Developers console, tab Basic settings). Needed to issue tokens.",
    ),
    th.Property(
        "channel_secret",
        th.StringType,
        secret=True,
        title="Channel secret",
        description="Channel secret (tab Basic settings). Issues 15-minute stateless tokens, renewed automatically.",
    ),
    th.Property(
        "assertion_key",
        th.StringType,
        secret=True,
        title="Assertion signing key",
        description="Private assertion signing key as a JWK (JSON text). Issues channel access tokens v2.1. "
        "Needs the extra jwt.",
    ),
)
API_URL = th.Property(
    "api_url",
    th.StringType,
    default=DEFAULT_API_URL,
    title="API URL",
    description="Base URL of the Messaging API. For tests, the URL of a sandbox.",
)
STORE_URL = th.Property(
    "store_url",
    th.StringType,
    secret=True,
    default=DEFAULT_STORE_URL,
    title="Store URL",
    description="Database for inbox, identity, ledger and rejects: sqlite:///PATH or "
    "postgresql://USER:PASSWORD@HOST/DATABASE.",
)
MAX_REQUESTS_PER_SECOND = th.Property(
    "max_requests_per_second",
    th.CustomType({"type": ["number", "null"], "minimum": 0.01}),
    title="Max requests per second",
    description="Maximum number of requests per second of each process. Default: the rate limit of each endpoint, "
    "shared by all processes with the same store and channel name.",
)
USE_PROXY = th.Property(
    "use_proxy_from_environment",
    th.BooleanType,
    default=False,
    title="Proxy from environment",
    description="Use the proxy of HTTPS_PROXY and similar environment variables for requests to LINE.",
)
REQUEST_TIMEOUT_SECONDS = th.Property(
    "request_timeout_seconds",
    th.IntegerType(minimum=1),
    default=30,
    title="Request timeout",
    description="Seconds until a request times out. Whether it is retried depends on the request.",
)
