"""The account: who the bot is, and how much it may send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_line.client import LineStream
from tap_line.clock import line_date, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class BotInfo(LineStream):
    """The channel's bot: its names, picture and modes."""

    name = "bot_info"
    path = "/v2/bot/info"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "line_id", th.StringType, required=True, description="The bot's own user ID, `destination` of events"
        ),
        th.Property("basic_id", th.StringType, description="Basic ID, which begins with @"),
        th.Property("premium_id", th.StringType, description="Premium ID, if the account has one"),
        th.Property("display_name", th.StringType, description="Name of the account"),
        th.Property("picture_url", th.StringType, description="URL of the account's picture"),
        th.Property("chat_mode", th.StringType, description="chat or bot: whether people can chat with staff"),
        th.Property("mark_as_read_mode", th.StringType, description="auto or manual"),
    ).to_dict()


class MessageQuota(LineStream):
    """The monthly quota of messages and what is used of it: one row a day, the last look at that day."""

    name = "message_quota"
    path = "/v2/bot/message/quota"
    primary_keys: ClassVar[tuple[str, ...]] = ("date",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True, description="Day of the look, in LINE's time zone (UTC+9)"),
        th.Property("type", th.StringType, description="limited or none"),
        th.Property("value", th.IntegerType, description="Messages that may be sent this month; null without a limit"),
        th.Property(
            "total_usage",
            th.IntegerType,
            description="Messages sent this month, console included; LINE's approximation",
        ),
        th.Property("observed_at", th.DateTimeType, description="Time of the look"),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The quota together with its consumption."""
        for quota in super().get_records(context):
            usage = self.fetch("/v2/bot/message/quota/consumption").object()
            at = now()
            yield {**quota, **usage, "date": line_date(at).isoformat(), "observed_at": at.isoformat()}
