"""Alembic's part: bring a database to the newest schema. Imported only when there is something to migrate."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Alembic tells of every step at INFO, in the log of programs whose users never heard of it.
logging.getLogger("alembic").setLevel(logging.WARNING)


def alembic_config() -> Config:
    """Where the revisions are."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def migrate(connection: Connection) -> None:
    """Apply all revisions that the database has not seen, in the connection's transaction."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
