"""Interaction statistics of broadcasts and narrowcasts.

Source: LINE Messaging API reference, "Get user interaction statistics".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.interaction_statistics_stream import INTERACTION_COLUMNS, InteractionStatisticsStream
from tap_line.queries.ledger import accepted_requests
from tap_line.statistics_schedule import StatisticsItem


class MessageEventStatistics(InteractionStatisticsStream):
    """Opens, clicks and plays of each broadcast and narrowcast in the ledger."""

    description = "Opens, clicks and plays of each broadcast and narrowcast in the ledger."
    name = "message_event_statistics"
    path = "/v2/bot/insight/message/event"
    primary_keys: ClassVar[tuple[str, ...]] = ("request_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("request_id", th.StringType, required=True, description="LINE's ID of the sending request"),
        th.Property("sent_at", th.DateTimeType, description="Time of delivery"),
        th.Property(
            "delivered", th.IntegerType, description="Number of messages delivered; null until all are delivered"
        ),
        *INTERACTION_COLUMNS,
    ).to_dict()

    def items(self) -> dict[StatisticsItem, dict[str, str]]:
        """Return the accepted broadcasts and narrowcasts of the ledger."""
        sent = accepted_requests(self.services.store, self.services.channel, ("broadcast", "narrowcast"))
        return {StatisticsItem(each.accepted_at, each.request_id): {"requestId": each.request_id} for each in sent}

    def overview_record(self, item: StatisticsItem, overview: dict[str, Any]) -> dict[str, Any]:
        """Return the overview's fields, with `timestamp` as `sent_at`."""
        fields = dict(overview)
        timestamp = fields.pop("timestamp", None)
        sent_at = datetime.fromtimestamp(timestamp, UTC).isoformat() if timestamp else None
        return {**fields, "requestId": item.key, "sent_at": sent_at}
