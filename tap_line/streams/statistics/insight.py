"""Daily figures of the account as in LINE's console, and demographics of the followers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.line_time import line_date
from tap_line.base.budgeted_stream import BudgetedStream
from tap_line.base.daily_stream import DailyStream, StatisticsStatus, date_param, statistics_status
from tap_line.clock import now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context

_DATE = th.Property("date", th.DateType, required=True, description="Day, in LINE's time zone (UTC+9)")


def _count(name: str, description: str) -> th.Property[int]:
    return th.Property(name, th.IntegerType, description=f"{description}; null if LINE does not report it")


class DailyInsightStream(BudgetedStream, DailyStream):
    """Daily figures of an insight endpoint."""

    primary_keys: ClassVar[tuple[str, ...]] = ("date",)

    def read_day(self, day: date) -> list[dict[str, Any]] | None:
        """Return the day's figures. A day without figures has no record, instead of zeros."""
        response = self.fetch(self.path, {"date": date_param(day)})
        match statistics_status(response):
            case StatisticsStatus.READY:
                figures = response.json_object()
                del figures["status"]
                return [{**figures, "date": day.isoformat()}]
            case StatisticsStatus.UNREADY:
                return None
            case _:
                return []


class InsightFollowers(DailyInsightStream):
    """Number of followers, reachable followers and blocks of the account, by day."""

    description = "Number of followers, reachable followers and blocks of the account, by day."
    name = "insight_followers"
    path = "/v2/bot/insight/followers"
    first_day = date(2016, 11, 1)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _DATE,
        _count(
            "followers",
            "People who have ever added the account; blocks and deletions do not reduce it",
        ),
        _count("targeted_reaches", "Followers that demographic targeting can reach"),
        _count("blocks", "People who block the account now"),
    ).to_dict()


class InsightMessageDeliveries(DailyInsightStream):
    """Number of messages that the account delivered, by day and send method. Includes the console."""

    description = "Number of messages that the account delivered, by day and send method. Includes the console."
    name = "insight_message_deliveries"
    path = "/v2/bot/insight/message/delivery"
    first_day = date(2017, 3, 1)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _DATE,
        _count("broadcast", "Broadcasts to all followers, sent from the console"),
        _count("targeting", "Messages to a target audience, sent from the console"),
        _count("step_message", "Step messages"),
        _count("auto_response", "Automatic responses"),
        _count("welcome_response", "Greeting messages"),
        _count("chat", "Messages sent from the chat screen"),
        _count("cc_auto_reply", "Automatic replies of chat customization"),
        _count("cc_manual_reply", "Manual replies of chat customization"),
        _count("pnp_notice_message", "Notification messages to phone numbers"),
        _count("pnp_call_to_line", "Notification messages of Call to LINE"),
        _count("third_party_chat_tool", "Messages from third-party chat tools"),
        _count("api_broadcast", "Broadcast messages of the API"),
        _count("api_push", "Push messages of the API"),
        _count("api_multicast", "Multicast messages of the API"),
        _count("api_narrowcast", "Narrowcast messages of the API"),
        _count("api_reply", "Reply messages of the API"),
    ).to_dict()


class InsightDemographics(BudgetedStream):
    """Demographics of the followers: shares by gender, age, area, app and following time, about three days old."""

    description = (
        "Demographics of the followers: shares by gender, age, area, app and following time, about three days old."
    )
    name = "insight_demographics"
    path = "/v2/bot/insight/demographic"
    primary_keys: ClassVar[tuple[str, ...]] = ("date", "dimension", "bucket")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True, description="Day of the request, in LINE's time zone (UTC+9)"),
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
        th.Property("percentage", th.NumberType, description="Share of the followers in percent, 0 to 100"),
    ).to_dict()

    _DIMENSIONS: ClassVar[dict[str, tuple[str, str]]] = {
        "gender": ("genders", "gender"),
        "age": ("ages", "age"),
        "area": ("areas", "area"),
        "app_type": ("appTypes", "appType"),
        "subscription_period": ("subscriptionPeriods", "subscriptionPeriod"),
    }

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield a record per share. LINE returns none for fewer than 20 people and for some countries."""
        for body in super().read_records(context):
            if not body.get("available"):
                self.logger.info("LINE has no demographics of this account")
            for dimension, (items, key) in self._DIMENSIONS.items():
                for item in body.get(items) or []:
                    yield {
                        "date": line_date(now()).isoformat(),
                        "dimension": dimension,
                        "bucket": item.get(key),
                        "percentage": item.get("percentage"),
                    }
