"""Insight: the account's daily figures as the console shows them, and who the friends are."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.budgeted_stream import BudgetedStream
from tap_line.base.daily_stream import DailyStream, Readiness, line_day, readiness_of
from tap_line.clock import line_date, now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

_DATE = th.Property("date", th.DateType, required=True, description="Day, in LINE's time zone (UTC+9)")


def _count(name: str, description: str) -> th.Property[int]:
    return th.Property(name, th.IntegerType, description=f"{description}; null if LINE does not tell")


class InsightDay(BudgetedStream, DailyStream):
    """Daily figures of an insight endpoint."""

    primary_keys: ClassVar[tuple[str, ...]] = ("date",)

    def read_day(self, day: date) -> list[dict[str, Any]] | None:
        """The day's figures; a day that is not ready is no day of zeros."""
        reply = self.fetch(self.path, {"date": line_day(day)})
        match readiness_of(reply):
            case Readiness.READY:
                figures = reply.json_object()
                del figures["status"]
                return [{**figures, "date": day.isoformat()}]
            case Readiness.UNREADY:
                return None
            case _:
                return []


class InsightFollowers(InsightDay):
    """How many people follow, can be reached, and block the account, by day."""

    name = "insight_followers"
    path = "/v2/bot/insight/followers"
    first_day = date(2016, 11, 1)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _DATE,
        _count(
            "followers",
            "People who added the account for the first time, ever; blocks and deletions do not lower it",
        ),
        _count("targeted_reaches", "Friends whom demographic targeting can reach"),
        _count("blocks", "People who block the account; falls when a block is lifted"),
    ).to_dict()


class InsightMessageDeliveries(InsightDay):
    """How many messages the account delivered, by day and way of sending, console included."""

    name = "insight_message_deliveries"
    path = "/v2/bot/insight/message/delivery"
    first_day = date(2017, 3, 1)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _DATE,
        _count("broadcast", "Broadcasts to all friends, sent from the console"),
        _count("targeting", "Messages to a target audience, sent from the console"),
        _count("step_message", "Step messages"),
        _count("auto_response", "Automatic responses"),
        _count("welcome_response", "Greeting messages"),
        _count("chat", "Messages sent from the chat screen"),
        _count("cc_auto_reply", "Automatic replies of chat customisation"),
        _count("cc_manual_reply", "Manual replies of chat customisation"),
        _count("pnp_notice_message", "Notification messages to phone numbers"),
        _count("pnp_call_to_line", "Notification messages from calls"),
        _count("third_party_chat_tool", "Messages of third-party chat tools"),
        _count("api_broadcast", "Broadcast messages of the API"),
        _count("api_push", "Push messages of the API"),
        _count("api_multicast", "Multicast messages of the API"),
        _count("api_narrowcast", "Narrowcast messages of the API"),
        _count("api_reply", "Reply messages of the API"),
    ).to_dict()


class InsightDemographics(BudgetedStream):
    """Who the friends are: shares by gender, age, area, app and length of friendship, as of about three days ago."""

    name = "insight_demographics"
    path = "/v2/bot/insight/demographic"
    primary_keys: ClassVar[tuple[str, ...]] = ("date", "dimension", "bucket")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True, description="Day of the look, in LINE's time zone (UTC+9)"),
        th.Property(
            "dimension",
            th.StringType,
            required=True,
            description="gender, age, area, app_type or subscription_period",
        ),
        th.Property(
            "bucket",
            th.StringType,
            required=True,
            description="Value of the dimension, such as female, from25to29, 東京 or within30days",
        ),
        th.Property("percentage", th.NumberType, description="Share of the friends in percent, 0 to 100"),
    ).to_dict()

    _DIMENSIONS: ClassVar[dict[str, tuple[str, str]]] = {
        "gender": ("genders", "gender"),
        "age": ("ages", "age"),
        "area": ("areas", "area"),
        "app_type": ("appTypes", "appType"),
        "subscription_period": ("subscriptionPeriods", "subscriptionPeriod"),
    }

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """A record for each share; none if LINE does not show them (fewer than 20 people, or other countries)."""
        for shown in super().read(context):
            if not shown.get("available"):
                self.logger.info("LINE shows no demographics of this account")
            for dimension, (items, key) in self._DIMENSIONS.items():
                for item in shown.get(items) or []:
                    yield {
                        "date": line_date(now()).isoformat(),
                        "dimension": dimension,
                        "bucket": item.get(key),
                        "percentage": item.get("percentage"),
                    }
