"""Records that target-line rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from sqlalchemy import case, select

from line_core.store.tables.rejects import rejects
from tap_line.base.store_stream import CHANNEL_COLUMN, StoreStream

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select


class Rejects(StoreStream):
    """The records that target-line rejected, each with its reason."""

    description = "The records that target-line rejected, each with its reason."
    name = "rejects"
    primary_keys: ClassVar[tuple[str, ...]] = ("reject_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("reject_id", th.IntegerType, required=True, description="Number of the reject"),
        CHANNEL_COLUMN,
        th.Property("stream", th.StringType, description="Stream of the record"),
        th.Property("digest", th.StringType, description="SHA-256 of the record"),
        th.Property("reason", th.StringType, description="Reason code"),
        th.Property("detail", th.StringType, description="Text of the reason"),
        th.Property("record", th.ObjectType(additional_properties=True), description="The unchanged record"),
        th.Property("times_seen", th.IntegerType, description="Number of times the record was received"),
        th.Property("first_seen_at", th.DateTimeType, description="Time at which the record was first received"),
        th.Property("last_seen_at", th.DateTimeType, description="Time at which the record was last received"),
        th.Property("replayed_at", th.DateTimeType, description="Time at which the record was accepted after a fix"),
        th.Property("updated_at", th.DateTimeType, description="Time of the row's last change"),
    ).to_dict()

    def query(self) -> Select[Any]:
        return select(rejects)

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        seen, replayed = rejects.c.last_seen_at, rejects.c.replayed_at
        return case((replayed > seen, replayed), else_=seen)
