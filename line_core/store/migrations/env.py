"""Alembic environment. It uses the connection that `line_core.store.schema` passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from alembic import context

from line_core.store.tables import UtcDateTime, metadata

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext


def _render_utc_datetime(type_: str, item: object, autogen: AutogenContext) -> str | Literal[False]:
    """Render the column type `UtcDateTime` in new revisions by its short name."""
    if type_ == "type" and isinstance(item, UtcDateTime):
        autogen.imports.add("from line_core.store.tables import UtcDateTime")
        return "UtcDateTime()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_render_utc_datetime,
    compare_type=True,
)
context.run_migrations()
