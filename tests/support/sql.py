"""SQL statements on a database, past the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, text


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Execute statements in one transaction, and return the rows of the last one."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()
