"""Fixtures that every part's tests share: databases, the sandbox, a clean environment."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import requests
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

from examples.demo import servers
from line_core.store import Store, open_store
from tests.support import programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


KILLS = 3
LONG_KILLS = 30

# Some container images turn the bytecode cache off. Then every process of the suite would compile all modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A slow machine is not a failure, and the result of CI must not depend on chance.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the sweeps in their long form")
    parser.addoption("--kills", type=int, help=f"kills per sweep; default {KILLS}, with --long {LONG_KILLS}")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say how long a run of the suite, or of its long sweeps, takes."""
    if config.args != config.getini("testpaths"):
        return None
    duration = "the sweeps take about 8 minutes" if config.getoption("--long") else "the suite takes about 4 minutes"
    return f"{duration} on 2 idle cores"


@pytest.fixture(scope="session")
def is_long(pytestconfig: pytest.Config) -> bool:
    """Whether the sweeps run in their long form."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config, *, is_long: bool) -> int:
    """How many processes a sweep kills."""
    number: int | None = pytestconfig.getoption("--kills")
    return number if number is not None else LONG_KILLS if is_long else KILLS


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Restore the handlers after a test in which a program has configured logging in this process."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """A real PostgreSQL for the whole session.

    Its data are outside pytest's own directory: run by root, PostgreSQL has a user of its own, and every other pytest
    session that starts takes all other users' access to pytest's directory away.
    """
    with (
        tempfile.TemporaryDirectory(prefix="line-test-postgres-") as directory,
        servers.postgres(Path(directory) / "data") as server,
    ):
        # The data do not outlive the machine, and writing them to the disk at once is most of a test's time.
        _execute(server, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off")
        _execute(server, "SELECT pg_reload_conf()")
        yield server


@pytest.fixture
def empty_postgres_url(postgres: servers.Postgres) -> str:
    """URL of a new database without tables on the session's PostgreSQL."""
    return _new_database(postgres, "template0")


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a new database without tables, once on SQLite and once on Postgres."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture(scope="session")
def new_sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """A function that creates a file with an empty store and returns its URL. It copies, which saves the migrations."""
    template = tmp_path_factory.mktemp("template") / "store.db"
    open_store(f"sqlite:///{template}").close()
    return lambda file: f"sqlite:///{shutil.copyfile(template, file)}"


@pytest.fixture(scope="session")
def postgres_template(postgres: servers.Postgres) -> str:
    """Name of a database with an empty store. Nothing can connect to it, which would prevent copies."""
    url = _new_database(postgres, "template0")
    open_store(url).close()
    name = str(make_url(url).database)
    _execute(postgres, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
    return name


@pytest.fixture
def sqlite_url(new_sqlite_store: Callable[[Path], str], tmp_path: Path) -> str:
    """URL of an empty SQLite store, the file `store.db` in `tmp_path`."""
    return new_sqlite_store(tmp_path / "store.db")


@pytest.fixture
def postgres_url(postgres: servers.Postgres, postgres_template: str) -> str:
    """URL of an empty store on the session's PostgreSQL."""
    return _new_database(postgres, postgres_template)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty store, once on SQLite and once on Postgres."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open, empty store, once on SQLite and once on Postgres."""
    with open_store(store_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One sandbox process for the session; use `sandbox_url`, which resets it."""
    log = tmp_path_factory.mktemp("sandbox") / "sandbox.log"
    with programs.serve("line-sandbox", "serve", "--port", "0", "--followers", "1000", "--seed", "1", log=log) as url:
        yield url


@pytest.fixture
def sandbox_url(shared_sandbox: str) -> str:
    """URL of a sandbox as new: 1,000 followers, seed 1, no faults, nothing delivered."""
    requests.delete(f"{shared_sandbox}/sandbox/faults", timeout=10).raise_for_status()
    requests.post(f"{shared_sandbox}/sandbox/reset", timeout=10).raise_for_status()
    return shared_sandbox


def _new_database(postgres: servers.Postgres, template: str) -> str:
    """Create a database as a copy of another one, and return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return postgres.url(name)


def _execute(postgres: servers.Postgres, *statements: str) -> None:
    """Execute statements on the server, each in its own transaction."""
    with psycopg.connect(postgres.url(driver="postgresql"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
