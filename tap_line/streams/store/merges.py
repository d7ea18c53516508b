"""The audit of profile merges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from sqlalchemy import func, select

from line_core.store.tables.identity import merges
from tap_line.base.store_stream import StoreStream

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select


class Merges(StoreStream):
    """Each merge of profiles and each move of an identifier, with its rule and the profiles before it."""

    description = "Each merge of profiles and each move of an identifier, with its rule and the profiles before it."
    name = "merges"
    primary_keys: ClassVar[tuple[str, ...]] = ("merge_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("merge_id", th.IntegerType, required=True, description="Number of the merge, for unmerge and undo"),
        th.Property("merged_at", th.DateTimeType, description="Time at which target-line found the merge"),
        th.Property("rule", th.StringType, description="Merge rule"),
        th.Property("survivor", th.StringType, description="Strongest identifier of the surviving profile"),
        th.Property("absorbed", th.StringType, description="Strongest identifier of the absorbed profile"),
        th.Property("identifier", th.StringType, description="The identifier that connected the profiles or moved"),
        th.Property("evidence_at", th.DateTimeType, description="Time of the record that connected the profiles"),
        th.Property(
            "before",
            th.ArrayType(th.ObjectType(additional_properties=True)),
            description="The profiles in the store before the merge",
        ),
        th.Property("undone_at", th.DateTimeType, description="Time at which the merge was undone"),
        th.Property("updated_at", th.DateTimeType, description="Time of the row's last change"),
    ).to_dict()

    def query(self) -> Select[Any]:
        return select(merges)

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        times = (merges.c.changed_at, merges.c.undone_at, merges.c.merged_at)
        return func.coalesce(*times, type_=merges.c.merged_at.type)
