"""A separate Meltano project, with the sandbox and a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from examples.demo.servers import PROGRAMS
from tests.support.meltano_project import Meltano

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def meltano_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of meltano.yml with its plugins installed, independent of the repository's `.meltano`."""
    root = tmp_path_factory.mktemp("meltano")
    shutil.copy(PROJECT / "meltano.yml", root)
    (root / "requirements").symlink_to(PROJECT / "requirements")
    (root / ".venv").symlink_to(PROGRAMS.parent)
    environment = {**os.environ, "MELTANO_CLI_LOG_LEVEL": "warning", "NO_COLOR": "1"}
    done = subprocess.run(
        [PROGRAMS / "meltano", "install"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture
def meltano(meltano_root: Path, empty_postgres_url: str, sandbox_url: str, tmp_path: Path) -> Meltano:
    """Meltano with an empty warehouse, an empty store and a fresh sandbox."""
    warehouse = empty_postgres_url.replace("postgresql+psycopg://", "postgresql://")
    store = f"sqlite:///{tmp_path / 'store.db'}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "TARGET_", "MELTANO_"))},
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "MELTANO_DATABASE_URI": f"sqlite:///{tmp_path / 'meltano.db'}",
        "TAP_LINE_API_URL": sandbox_url,
        "TAP_LINE_API_DATA_URL": sandbox_url,
        "TAP_LINE_STORE_URL": store,
        "TARGET_LINE_API_URL": sandbox_url,
        "TARGET_LINE_STORE_URL": store,
        "TAP_POSTGRES_SQLALCHEMY_URL": warehouse,
        "TARGET_POSTGRES_SQLALCHEMY_URL": empty_postgres_url,
    }
    return Meltano(meltano_root, environment, warehouse)
