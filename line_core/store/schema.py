"""Schema migrations with Alembic. This module is imported only when a migration is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection


def alembic_config() -> Config:
    """Return the Alembic configuration: the folder of the revisions."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(connection: Connection) -> None:
    """Apply all missing revisions, in the transaction of the connection."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
