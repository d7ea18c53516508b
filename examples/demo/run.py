"""The demo: a local LINE platform, a warehouse, and both Meltano pipelines between them.

Its data stay in `.demo/`, so a second run shows that nothing is sent twice. `make demo-clean` deletes them.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests

from examples.demo.servers import PROGRAMS, Postgres, postgres, program, running
from target_line.admin.cli import commands

PROJECT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LINE_DEMO_DIRECTORY", PROJECT / ".demo"))
SEED = Path(__file__).with_name("warehouse.sql")
EVENTS = 500
LANDED = """
SELECT 'line.followers', count(*) FROM line.followers
UNION ALL SELECT 'line.profiles', count(*) FROM line.profiles
UNION ALL SELECT 'line.events', count(*) FROM line.events
"""
SECRET = "sandbox-secret"  # noqa: S105 - valid only in the sandbox


def main() -> int:
    """Run the demo and return the exit code."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the demo as Ctrl-C does
    DATA.mkdir(exist_ok=True)
    try:
        with ExitStack() as running:
            demo(running)
    except KeyboardInterrupt:
        print("\nInterrupted. All servers of the demo have stopped.", file=sys.stderr)
        return 130
    except subprocess.CalledProcessError as error:
        print(f"\n`{' '.join(error.cmd)}` failed with exit code {error.returncode}.", file=sys.stderr)
        return 1
    print(f"\nDone in {time.monotonic() - started:.0f} seconds. Run it again: no message is sent twice.")
    return 0


@dataclass(frozen=True)
class RunningDemo:
    """The servers of the demo, and the environment of its programs."""

    warehouse: Postgres
    sandbox: str
    """URL of the sandbox."""
    environment: dict[str, str]


def demo(running: ExitStack) -> RunningDemo:
    """Start the servers, run both pipelines, and print the results. The end of `running` stops the servers."""
    log_step("start PostgreSQL, the LINE sandbox (1,000 followers) and the webhook receiver")
    warehouse = running.enter_context(postgres(DATA / "postgres"))
    sandbox = running.enter_context(program("line-sandbox", "serve", "--port", "0", log=DATA / "sandbox.log"))
    environment = meltano_environment(warehouse, sandbox)
    receiver = running.enter_context(
        program("tap-line-webhook", "serve", "--port", "0", environment=environment, log=DATA / "webhook.log"),
    )

    log_step(f"the sandbox sends {EVENTS} webhook events: follows, messages, unfollows")
    request = {
        "url": f"{receiver}/webhook/main",
        "secret": SECRET,
        "generate": {"count": EVENTS, "seed": 1},
        "batch_size": 10,
    }
    requests.post(f"{sandbox}/sandbox/webhooks", json=request, timeout=120).raise_for_status()

    log_step("meltano install (the first time, it creates an environment for each plugin)")
    meltano("install", environment=environment, quiet=True)
    meltano("run", "tap-line", "target-postgres", environment=environment)
    with psycopg.connect(warehouse.url(driver="postgresql")) as connection:
        connection.execute(SEED.read_bytes())
    log_step("load customers and messages into the warehouse: examples/demo/warehouse.sql")
    meltano("run", "tap-postgres", "target-line", environment=environment)
    print_results(warehouse, sandbox, environment)
    return RunningDemo(warehouse, sandbox, environment)


def meltano_environment(warehouse: Postgres, sandbox: str) -> dict[str, str]:
    """Return the environment with the addresses of the servers. All other settings are in meltano.yml."""
    store = f"sqlite:///{shown(DATA / 'store.db')}"
    return {
        **os.environ,
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "MELTANO_PROJECT_ROOT": str(PROJECT),
        "MELTANO_DATABASE_URI": f"sqlite:///{DATA / 'meltano.db'}",  # keeps the state of these runs in .demo/
        "NO_COLOR": "1",
        "TAP_LINE_API_URL": sandbox,
        "TAP_LINE_API_DATA_URL": sandbox,
        "TAP_LINE_STORE_URL": store,
        "TAP_LINE_WEBHOOK_CHANNEL_SECRET": SECRET,
        "TAP_LINE_WEBHOOK_STORE_URL": store,
        "TARGET_LINE_API_URL": sandbox,
        "TARGET_LINE_STORE_URL": store,
        "TAP_POSTGRES_SQLALCHEMY_URL": warehouse.url(driver="postgresql"),
        "TARGET_POSTGRES_SQLALCHEMY_URL": warehouse.url(),
    }


def meltano(*arguments: str, environment: dict[str, str], quiet: bool = False) -> None:
    """Run Meltano and append its output to a log file.

    Raises:
        subprocess.CalledProcessError: It failed. The end of its output is printed.
    """
    if not quiet:
        log_step(f"meltano {' '.join(arguments)}")
    log = DATA / "meltano.log"
    before = log.stat().st_size if log.exists() else 0
    command = ["meltano", *arguments]
    with (
        log.open("ab") as output,
        running(command, cwd=PROJECT, env=environment, stdout=output, stderr=output) as process,
    ):
        exit_code = process.wait()
    if exit_code:
        print("\n".join(log.read_text()[before:].splitlines()[-30:]), file=sys.stderr)
        raise subprocess.CalledProcessError(exit_code, command)


def print_results(warehouse: Postgres, sandbox: str, environment: dict[str, str]) -> None:
    with psycopg.connect(warehouse.url(driver="postgresql")) as connection:
        landed = connection.execute(LANDED).fetchall()
    people = admin("identities", environment)
    joins = Counter(row["rule"] for row in admin("merges", environment))
    ledger = Counter((row["status"], row["reason"] or "") for row in admin("deliveries", environment))
    # Rejected messages are counted in the ledger.
    rejects = Counter(row["reason"] for row in admin("rejects", environment) if row["stream"] != "messages")
    now = requests.get(f"{sandbox}/sandbox/summary", timeout=10).json()

    title("From LINE into the warehouse")
    for table, count in landed:
        row(table, count)
    title("Identities")
    row("profiles", len(people))
    row("  customers", sum(1 for person in people if person["id"]))
    row("  known only by a LINE ID", sum(1 for person in people if not person["id"] and not person["email"]))
    for rule, count in sorted(joins.items()):
        row(f"merged: {rule}", count)
    title("From the warehouse to LINE")
    for (status, reason), count in sorted(ledger.items()):
        row(f"messages {status}{': ' if reason else ''}{reason}", count)
    for reason, count in sorted(rejects.items()):
        row(f"rejects: {reason}", count)
    row("delivered by LINE in this run", now["deliveries"])

    title("Next steps")
    admin_command = f".venv/bin/target-line-admin --store-url {environment['TARGET_LINE_STORE_URL']}"
    print(f"  {admin_command} deliveries\n  {admin_command} rejects")
    print(f"  {shown(DATA / 'meltano.log')}, README.md (your own LINE account), docs/")
    if not now["deliveries"]:
        print("\nAll messages were sent in an earlier run, so none was sent again.")


def shown(path: Path) -> Path:
    """Return a path relative to the project's folder, if it is inside."""
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path


def admin(listing: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows of a listing of target-line-admin. It runs in this process, which saves its start."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        arguments = ["--store-url", environment["TARGET_LINE_STORE_URL"], listing, "--format", "jsonl"]
        commands.main(arguments, standalone_mode=False)
    return [json.loads(line) for line in printed.getvalue().splitlines()]


def log_step(text: str) -> None:
    print(f"· {text}", flush=True)


def title(text: str) -> None:
    print(f"\n{text}")


def row(name: str, count: int) -> None:
    print(f"  {name:<42}{count:>8,}")


if __name__ == "__main__":
    sys.exit(main())
