"""Test the project as its users may install it: every Python version, oldest and newest dependencies, the wheel.

Run all sessions with `make matrix`, or one with `.venv/bin/nox -s wheel`. Arguments after `--` go to pytest.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
UV = str(Path(sys.executable).with_name("uv"))
SUPPORTED = ["3.11", "3.12", "3.13", "3.14"]
NEEDED_EXTRA = {"line-sandbox": "sandbox", "tap-line-webhook": "webhook"}
"""Programs whose servers need an extra. All programs answer `--version` without one."""
# These start the installed programs of the project's own environment.
OUTSIDE = ["--ignore=tests/e2e"]


def test_group() -> list[str]:
    """Return the requirements of the dependency group `test`."""
    return [requirement for requirement in PROJECT["dependency-groups"]["test"] if isinstance(requirement, str)]


def run_tests(session: nox.Session) -> None:
    """Run the suite with warnings about the interpreter's own state as errors."""
    arguments = session.posargs or ["tests", "--numprocesses", "2", "--dist", "worksteal"]
    session.run("python", "-m", "pytest", *OUTSIDE, *arguments)


@nox.session(python=SUPPORTED)
def tests(session: nox.Session) -> None:
    """Run the suite with the pinned dependencies."""
    session.install("--require-hashes", "-r", "requirements/dev.txt")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")
    run_tests(session)


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run the suite with the oldest dependencies that pyproject.toml allows."""
    session.install("--resolution", "lowest-direct", "-e", ".[jwt,postgres,sandbox,webhook]", *test_group())
    run_tests(session)


@nox.session(python="3.13")
def newest(session: nox.Session) -> None:
    """Run the suite with the newest dependencies that pyproject.toml allows."""
    session.install("--upgrade", "-e", ".[jwt,postgres,sandbox,webhook]", *test_group())
    run_tests(session)


@nox.session(python="3.11")
def shuffled(session: nox.Session) -> None:
    """Run the suite in a random order. The seed is printed; repeat it with `-- --randomly-seed=N`."""
    session.install("--require-hashes", "-r", "requirements/dev.txt")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")
    session.install("pytest-randomly")
    run_tests(session)


@nox.session(python="3.14", venv_backend="none")
def resolves(session: nox.Session) -> None:
    """Check that every dependency has a wheel for each supported Python version, without that Python being here."""
    for version in SUPPORTED:
        session.run(
            *(UV, "pip", "compile", "--quiet", "--python-version", version, "--only-binary", ":all:"),
            *("--all-extras", "--output-file", "/dev/null", "pyproject.toml"),
            external=True,
        )


@nox.session(python="3.11")
@nox.parametrize("extra", ["", *PROJECT["project"]["optional-dependencies"]])
def wheel(session: nox.Session, extra: str) -> None:
    """Build the wheel, install it alone or with one extra into an empty environment, and start every program."""
    dist = Path(session.create_tmp())
    for earlier in dist.glob("*.whl"):
        earlier.unlink()
    session.run(UV, "build", "--quiet", "--wheel", "--out-dir", str(dist), external=True)
    (built,) = dist.glob("*.whl")
    session.install("--reinstall", f"{built}[{extra}]" if extra else str(built))
    expected = PROJECT["project"]["version"]
    for program in PROJECT["project"]["scripts"]:
        printed = session.run(program, "--version", silent=True) or ""
        if expected not in printed:
            session.error(f"{program} --version printed {printed!r}")
    for program, needed in NEEDED_EXTRA.items():
        if extra == needed:
            session.run(program, "serve", "--help", silent=True)
