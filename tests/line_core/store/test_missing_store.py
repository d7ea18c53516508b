"""Stores that do not exist are not created by readers, and a file that disappears ends its use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text

from line_core.errors import StoreError
from line_core.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_reader_does_not_create_a_store(empty_database_url: str) -> None:
    with pytest.raises(StoreError, match=r"there is no store at .*setting: store_url"):
        open_store(empty_database_url, create=False)
    url = make_url(empty_database_url)
    if url.drivername == "sqlite":
        assert not Path(str(url.database)).exists()
    else:
        engine = create_engine(url.set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT to_regnamespace('line_store')")).scalar_one() is None
        engine.dispose()
    with open_store(empty_database_url) as store:
        assert store.is_new
    with open_store(empty_database_url, create=False) as store, store.write() as connection:
        assert not store.is_new
        assert connection.execute(text("SELECT count(*) FROM rejects")).scalar_one() == 0


def test_an_empty_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "store.db").touch()
    with pytest.raises(StoreError, match="there is no store at"):
        open_store(f"sqlite:///{tmp_path / 'store.db'}", create=False)


def test_a_reader_names_a_store_of_an_older_version(store_url: str) -> None:
    with open_store(store_url) as store, store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(StoreError, match=r"schema 0000, this version needs \d{4}"):
        open_store(store_url, create=False)


@pytest.mark.parametrize(
    ("change", "done"),
    [
        (lambda file: file.unlink(), "removed"),
        (lambda file: file.rename(file.with_name("moved.db")), "removed"),
        (lambda file: file.with_name("other.db").replace(file), "replaced by another file"),
    ],
    ids=["removed", "renamed", "replaced"],
)
def test_a_file_that_is_removed_or_replaced_is_not_written_any_more(
    tmp_path: Path, new_sqlite_store: Callable[[Path], str], change: Callable[[Path], None], done: str
) -> None:
    new_sqlite_store(tmp_path / "other.db")
    file = tmp_path / "store.db"
    with open_store(new_sqlite_store(file)) as store:

        def write_while_the_file_changes() -> None:
            with store.write() as connection:
                connection.execute(text("CREATE TABLE lost (n INTEGER)"))
                change(file)

        with pytest.raises(StoreError, match=done):
            write_while_the_file_changes()
        for transaction in (store.read, store.write):
            with pytest.raises(StoreError, match=f"was {done} while this program was using it"), transaction():
                pass
    assert {path.name for path in tmp_path.glob("*.db")} <= {"store.db", "other.db", "moved.db"}
    assert file.exists() == (done != "removed")


def test_a_store_in_a_relative_path_stays_the_same_in_another_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with open_store("sqlite:///store.db") as store:
        monkeypatch.chdir("/")
        with store.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM rejects")).scalar_one() == 0


def test_a_database_in_memory_has_no_file() -> None:
    with open_store("sqlite://") as store, store.write() as connection:
        assert connection.execute(text("SELECT count(*) FROM rejects")).scalar_one() == 0
