"""The webhook URL of the channel."""

from __future__ import annotations

from typing import Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotFoundError
from tap_line.base.api_stream import ApiStream


class WebhookEndpoint(ApiStream):
    """The URL to which LINE sends the channel's webhook events."""

    description = "The URL to which LINE sends the channel's webhook events."
    name = "webhook_endpoint"
    path = "/v2/bot/channel/webhook/endpoint"
    empty_on_errors = (NotFoundError,)
    primary_keys: ClassVar[tuple[str, ...]] = ("endpoint",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("endpoint", th.StringType, required=True, description="URL of the receiver"),
        th.Property("active", th.BooleanType, description="Whether LINE sends webhook events"),
    ).to_dict()
