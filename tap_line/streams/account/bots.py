"""The account: who the bot is, and how much it may send."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError
from tap_line.base.api_stream import ApiStream
from tap_line.base.daily_stream import DailyStream, Readiness, line_day, readiness_of
from tap_line.clock import line_date, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context


class BotInfo(ApiStream):
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


class Bots(ApiStream):
    """The accounts that a module channel is attached to; nothing for ordinary channels."""

    name = "bots"
    path = "/v2/bot/list"
    records_key = "bots"
    page_size = 100
    nothing_if = (NotEntitledError, NotFoundError)
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="The bot's own user ID"),
        th.Property("basic_id", th.StringType, description="Basic ID, which begins with @"),
        th.Property("premium_id", th.StringType, description="Premium ID, if the account has one"),
        th.Property("display_name", th.StringType, description="Name of the account"),
        th.Property("picture_url", th.StringType, description="URL of the account's picture"),
    ).to_dict()


class MessageQuota(ApiStream):
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

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The quota together with its consumption."""
        for quota in super().read(context):
            usage = self.fetch("/v2/bot/message/quota/consumption").json_object()
            at = now()
            yield {**quota, **usage, "date": line_date(at).isoformat(), "observed_at": at.isoformat()}


class WebhookEndpoint(ApiStream):
    """The URL that LINE sends the channel's events to."""

    name = "webhook_endpoint"
    path = "/v2/bot/channel/webhook/endpoint"
    nothing_if = (NotFoundError,)
    primary_keys: ClassVar[tuple[str, ...]] = ("endpoint",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("endpoint", th.StringType, required=True, description="URL of the receiver"),
        th.Property("active", th.BooleanType, description="Whether LINE sends events"),
    ).to_dict()


class MessageDeliveries(DailyStream):
    """How many messages were sent through the API, by day and way of sending; the console's are not among them."""

    name = "message_deliveries"
    path = "/v2/bot/message/delivery/{type}"
    first_day = date(2018, 3, 31)
    primary_keys: ClassVar[tuple[str, ...]] = ("date", "type")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True, description="Day, in LINE's time zone (UTC+9)"),
        th.Property(
            "type",
            th.StringType,
            required=True,
            description="reply, push, multicast, broadcast, or pnp: to phone numbers, of accounts with that contract",
        ),
        th.Property("success", th.IntegerType, description="Messages sent; null if LINE does not tell"),
    ).to_dict()

    _TYPES: ClassVar[tuple[str, ...]] = ("reply", "push", "multicast", "broadcast", "pnp")

    def read_day(self, day: date) -> list[dict[str, Any]] | None:
        """A record for each way of sending that LINE has figures of."""
        records = []
        for kind in self._TYPES:
            try:
                reply = self.fetch(self.path.format(type=kind), {"date": line_day(day)})
            except (NotEntitledError, NotFoundError):
                continue
            readiness = readiness_of(reply)
            if readiness is Readiness.UNREADY:
                return None
            if readiness is not Readiness.OUT_OF_SERVICE:
                records.append({"date": day.isoformat(), "type": kind, "success": reply.json_object().get("success")})
        return records
