"""Webhook events of the inbox."""

from __future__ import annotations

from typing import Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.inbox_stream import InboxStream
from tap_line.event_records.event_record import COMMON_COLUMNS, EVENT_COLUMNS, event_record, follow_record


class Events(InboxStream):
    """Each webhook event received, without duplicates: columns of the common event types, and the whole payload."""

    description = (
        "Each webhook event received, without duplicates: columns of the common event types, and the whole payload."
    )
    name = "events"
    to_record = staticmethod(event_record)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(*EVENT_COLUMNS).to_dict()


class Follows(InboxStream):
    """The follow and unfollow events: a person added, blocked or unblocked the account."""

    description = "The follow and unfollow events: a person added, blocked or unblocked the account."
    name = "follows"
    event_types = ("follow", "unfollow")
    to_record = staticmethod(follow_record)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *COMMON_COLUMNS,
        th.Property(
            "is_unblocked",
            th.BooleanType,
            description="follow: true if the person unblocked the account, false if added; LINE calls it not exact",
        ),
    ).to_dict()
