"""Meltano with this repository's meltano.yml, and plugins of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def meltano_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory where Meltano installs its plugins, instead of the repository's `.meltano`."""
    return tmp_path_factory.mktemp("meltano")


@pytest.fixture(autouse=True)
def environment(meltano_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment of Meltano, without settings from outside."""
    for name in list(os.environ):
        if name.startswith(("TAP_", "TARGET_", "MELTANO_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(meltano_directory))
    monkeypatch.setenv("NO_COLOR", "1")
