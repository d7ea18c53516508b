"""The store's URL, and its PostgreSQL schema beside the tables of other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url, text

from line_core.errors import StoreError
from line_core.store import open_store, upgrade_store
from line_core.store.location import parse_store_url
from line_core.store.schema import alembic_config
from line_core.store.schema_version import SCHEMA_VERSION
from line_core.store.tables import metadata
from tests.support.sql import execute

if TYPE_CHECKING:
    from pathlib import Path

MELTANO_TABLES = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32))",
    "INSERT INTO alembic_version VALUES ('6828cc5b1a4f')",
    "CREATE TABLE runs (job_name VARCHAR)",
    "CREATE TABLE events (id INTEGER)",
)


# Unencoded characters that may stand in a password. A % begins an encoded character, and a ? the query of the URL.
PASSWORDS = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S"), exclude_characters="%?"), min_size=1)


def in_schema(url: str, schema: str) -> str:
    return make_url(url).update_query_dict({"schema": schema}).render_as_string(hide_password=False)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_scheme_of_postgres_is_accepted(scheme: str) -> None:
    location = parse_store_url(f"{scheme}://line:secret@db.example:5433/warehouse?sslmode=require")
    assert str(location) == "postgresql+psycopg://line:***@db.example:5433/warehouse?sslmode=require"
    assert location.url.password == "secret"


@given(
    st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1).filter(
        lambda s: "%" not in s and "?" not in s
    )
)
def test_a_password_is_read_and_removed_whole(password: str) -> None:
    location = parse_store_url(f"postgresql://line:{password}@db.example/warehouse")
    assert (location.url.username, location.url.host, location.url.database) == ("line", "db.example", "warehouse")
    assert location.url.password == password
    assert str(location) == "postgresql+psycopg://line:***@db.example/warehouse"


@pytest.mark.parametrize("password", ["p@ss:w/rd", "p%40ss%3Aw%2Frd"])
def test_no_part_of_a_password_is_in_an_error(password: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(f"postgresql://line:{password}@127.0.0.1:1/x")
    assert "ss" not in str(caught.value).replace("address", "").replace("Is the server", "")
    location = parse_store_url(f"postgresql://line:{password}@127.0.0.1:1/x")
    assert (
        location.without_password("no pg_hba entry for p@ss:w/rd or p%40ss%3Aw%2Frd")
        == "no pg_hba entry for *** or ***"
    )


def test_new_stores_on_postgres_have_a_schema_of_their_own(empty_postgres_url: str) -> None:
    execute(empty_postgres_url, *MELTANO_TABLES)
    open_store(empty_postgres_url).close()
    tables = execute(
        empty_postgres_url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'line_store'"
    )
    assert {name for (name,) in tables} == {*metadata.tables, "alembic_version"}
    assert execute(empty_postgres_url, "SELECT version_num FROM public.alembic_version") == [("6828cc5b1a4f",)]
    assert upgrade_store(empty_postgres_url) == (SCHEMA_VERSION, SCHEMA_VERSION)


def test_the_url_can_name_another_schema(empty_postgres_url: str) -> None:
    for schema in ("line_store", 'brand "B"'):
        with open_store(in_schema(empty_postgres_url, schema)) as store, store.write() as connection:
            assert connection.execute(text("SELECT count(*) FROM rejects")).scalar_one() == 0
            assert connection.execute(text("SELECT current_schema()")).scalar_one() == schema
            connection.execute(text("INSERT INTO forgetting_keys VALUES (1, 'k')"))


def test_a_store_of_an_earlier_version_stays_where_it_is(empty_postgres_url: str) -> None:
    with open_store(in_schema(empty_postgres_url, "public")) as store, store.write() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    with pytest.raises(StoreError, match="schema 0004, this version needs"):
        open_store(empty_postgres_url)
    assert upgrade_store(empty_postgres_url) == ("0004", SCHEMA_VERSION)
    with open_store(empty_postgres_url) as store, store.read() as connection:
        assert connection.execute(text("SELECT current_schema()")).scalar_one() == "public"
    assert execute(empty_postgres_url, "SELECT to_regnamespace('line_store')") == [(None,)]


@pytest.mark.parametrize("opens", [open_store, upgrade_store])
def test_tables_of_another_program_are_named_and_kept(empty_database_url: str, opens: object) -> None:
    url = empty_database_url if empty_database_url.startswith("sqlite") else in_schema(empty_database_url, "public")
    execute(empty_database_url, *MELTANO_TABLES)
    with pytest.raises(StoreError, match="belongs to another program, which also uses Alembic"):
        opens(url)  # type: ignore[operator]  # both are functions of the URL
    execute(empty_database_url, "DROP TABLE alembic_version")
    with pytest.raises(StoreError, match=r"has a table (events|runs) that does not belong to a store"):
        opens(url)  # type: ignore[operator]
    assert execute(empty_database_url, "SELECT count(*) FROM events") == [(0,)]


@pytest.mark.parametrize("opens", [open_store, upgrade_store])
def test_a_store_of_a_newer_version_is_named_as_such(store_url: str, opens: object) -> None:
    with open_store(store_url) as store, store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(StoreError, match="schema 0999, which a newer version of this program created") as caught:
        opens(store_url)  # type: ignore[operator]
    assert "upgrade" not in str(caught.value)


def test_a_sqlite_path_can_contain_any_character(tmp_path: Path) -> None:
    path = tmp_path / "a:b@c" / "store.db"
    path.parent.mkdir()
    open_store(f"sqlite:///{path}").close()
    assert path.exists()


def test_two_stores_in_one_database_do_not_wait_for_each_other(postgres_url: str) -> None:
    one, other = (open_store(in_schema(postgres_url, name)) for name in ("one", "other"))
    with one, other, one.write(lock="identity"), other.write(lock="identity") as connection:
        connection.execute(text("SET statement_timeout = 1000"))
