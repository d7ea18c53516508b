"""The ledger of sent messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from sqlalchemy import select

from line_core.draft_channel import DRAFT_PREFIX
from line_core.message_recipient import RECIPIENT_COLUMNS, recipient_of
from line_core.message_status import MessageStatus
from line_core.store.tables.ledger import messages, requests
from tap_line.base.store_stream import CHANNEL_COLUMN, StoreStream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select


class Deliveries(StoreStream):
    """The ledger: each message record that target-line stored, with its status."""

    description = "The ledger: each message record that target-line stored, with its status."
    name = "deliveries"
    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "message_id")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        CHANNEL_COLUMN,
        th.Property("message_id", th.StringType, required=True, description="Idempotency key of the message record"),
        th.Property(
            "recipient_column",
            th.StringType,
            description=f"Column of the record that names the recipient: {', '.join(RECIPIENT_COLUMNS)}",
        ),
        th.Property("recipient", th.StringType, description="Value of this column; null after an erasure"),
        th.Property("line_id", th.StringType, description="LINE ID of the recipient, if it is known"),
        th.Property(
            "status",
            th.StringType,
            description=f"{', '.join(MessageStatus)}; accepted means that LINE accepted the request (LINE does not "
            "report whether a person read the message)",
        ),
        th.Property("reason", th.StringType, description="Reason code of a rejected or skipped message"),
        th.Property("detail", th.StringType, description="Text of the reason, from LINE if available"),
        th.Property("method", th.StringType, description="Send method: push, multicast, narrowcast or broadcast"),
        th.Property("retry_key", th.StringType, description="X-Line-Retry-Key of the request"),
        th.Property("request_id", th.StringType, description="LINE's ID of the accepted request"),
        th.Property("attempts", th.IntegerType, description="Number of attempts to send the request"),
        th.Property("error", th.StringType, description="Last error of the request, from LINE or the transport"),
        th.Property("campaign", th.StringType, description="Custom aggregation unit"),
        th.Property("send_at", th.DateTimeType, description="Earliest time of sending"),
        th.Property("expires_at", th.DateTimeType, description="Latest time of sending"),
        th.Property("staged_at", th.DateTimeType, description="Time at which the ledger stored the record"),
        th.Property("finished_at", th.DateTimeType, description="Time at which LINE accepted or rejected the request"),
        th.Property("updated_at", th.DateTimeType, description="Time of the row's last change"),
    ).to_dict()

    def query(self) -> Select[Any]:
        """Return the query of messages with their requests."""
        message, request = messages.c, requests.c
        return (
            select(
                *(
                    message.channel,
                    message.message_id,
                    message.record,
                    message.line_id,
                    message.status,
                    message.reason,
                    message.detail,
                ),
                *(request.method, message.retry_key, request.request_id, request.attempts, request.error),
                *(message.campaign, message.send_at, message.expires_at, message.staged_at, request.finished_at),
            )
            .select_from(messages.outerjoin(requests, message.retry_key == request.retry_key))
            .where(message.channel.not_like(f"{DRAFT_PREFIX}%"))
        )

    def records_from_row(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Yield the row, with the recipient from its record."""
        row["recipient_column"], row["recipient"] = recipient_of(row.pop("record"))
        yield row

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        return messages.c.updated_at
