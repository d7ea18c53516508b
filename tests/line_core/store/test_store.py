"""Opening, reading and writing a store, on SQLite and Postgres."""

from __future__ import annotations

import gc
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, func, insert, select, text

from line_core.errors import StoreError
from line_core.store import Store, open_store
from line_core.store.tables import inbox
from line_core.store.tables.identity import forgetting_keys
from line_core.store.tables.rejects import rejects

if TYPE_CHECKING:
    from pathlib import Path


def test_opening_a_store_again_keeps_its_content(store_url: str) -> None:
    with open_store(store_url) as store, store.write() as connection:
        connection.execute(text("CREATE TABLE kept (n INTEGER)"))
    with open_store(store_url) as store, store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0


def test_a_store_of_an_older_version_is_an_error(store_url: str) -> None:
    with open_store(store_url) as store, store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoreError, match=r"schema 0000, this version needs \d{4}.*upgrade.*setting: store_url"):
        open_store(store_url)


def test_a_failed_write_is_rolled_back(store: Store) -> None:
    def fail_after_a_statement() -> None:
        with store.write(lock="inbox") as connection:
            connection.execute(text("CREATE TABLE left_behind (n INTEGER)"))
            connection.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(StoreError, match="no_such_table"):
        fail_after_a_statement()
    with pytest.raises(StoreError, match="left_behind"), store.read() as connection:
        connection.execute(text("SELECT * FROM left_behind"))


def test_all_queries_of_a_read_see_the_same_snapshot(store: Store) -> None:
    counted = select(func.count()).select_from(forgetting_keys)
    with store.read() as connection:
        before = connection.execute(counted).scalar_one()
        with store.write() as writer:
            writer.execute(insert(forgetting_keys).values(key_id=1, key="k"))
        assert connection.execute(counted).scalar_one() == before == 0
    with store.read() as connection:
        assert connection.execute(counted).scalar_one() == 1


def test_an_empty_inbox_has_no_events(store: Store) -> None:
    with store.read() as connection:
        assert connection.execute(select(inbox.events)).all() == []


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "not of the form"),
        ("mysql://user:hunter2@localhost/x", "SQLite or Postgres"),
        ("sqlite:////no/such/directory/store.db", "unable to open"),
        ("postgresql://user:hunter2@127.0.0.1:1/x", "cannot use the store at postgresql"),
    ],
)
def test_an_error_of_opening_a_store_is_one_line_with_the_setting_and_without_a_password(
    url: str, message: str
) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url)
    assert "\n" not in str(caught.value)
    assert "store_url" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_a_database_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all, just a long enough text to be read as a header by SQLite\n" * 20)
    with pytest.raises(StoreError, match="file is not a database"):
        open_store(f"sqlite:///{path}")


def test_too_old_a_version_of_sqlite_is_an_error_before_a_file_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 26, 0))
    with pytest.raises(StoreError, match=r"needs 3\.35 or newer, or Postgres"):
        open_store(f"sqlite:///{tmp_path / 'store.db'}")
    assert not list(tmp_path.iterdir())


def test_a_json_document_is_read_as_it_was_written(store: Store) -> None:
    document = {
        "text": "é😀\u0000",
        "lone surrogate": "\ud83d",
        "big": 10**30,
        "small": 1.5,
        "nothing": None,
        "list": [[]],
    }
    row = {"channel": "main", "stream": "x", "digest": "d", "reason": "r", "detail": "", "record": document}
    now = datetime.now(UTC)
    with store.write() as connection:
        connection.execute(insert(rejects).values(**row, first_seen_at=now, last_seen_at=now))
    with store.read() as connection:
        assert connection.execute(select(rejects.c.record)).scalar_one() == document


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "garbage-collected"])
def test_a_store_that_is_not_used_any_more_has_no_open_connection(store_url: str, closes: bool) -> None:
    store = open_store(store_url)
    engine = store.engine
    closed: list[object] = []
    event.listen(engine, "close", lambda connection, _record: closed.append(connection))
    with store.read() as connection:
        connection.execute(text("SELECT 1"))
    if closes:
        store.close()
    else:
        del store
        gc.collect()
    assert len(closed) == 1


def test_a_store_of_another_version_is_closed(store_url: str, recwarn: pytest.WarningsRecorder) -> None:
    with open_store(store_url) as store, store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoreError, match="schema 0000"):
        open_store(store_url)
    gc.collect()
    assert not [warning for warning in recwarn if warning.category is ResourceWarning]
