"""The commands `purge` and `retry-relays`, and the errors of the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from line_core.store import open_store
from line_core.store.inbox import relay_queue, write_events
from line_core.webhook_events.parsing import parse_events
from line_webhook import cli
from tests.support.webhook_events import body_of, event

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from pathlib import Path


def run(*arguments: str) -> object:
    """Run the program in this process; return its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return ended.value.code


def test_purge_removes_old_events_and_prints_their_number(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with open_store(sqlite_url) as store, store.write(lock="inbox") as connection:
        for number, age_days in enumerate((40, 35, 1)):
            received_at = datetime.now(UTC) - timedelta(days=age_days)
            write_events(connection, parse_events("main", body_of(event(number, "postback")), received_at))
    command = ["purge", "--store-url", sqlite_url, "--inbox-retention-days", "30"]
    assert run(*command) == 0
    assert capsys.readouterr().out == "0 events removed\n"
    assert run(*command, "--inbox-purge-unread", "true") == 0
    assert capsys.readouterr().out == "2 events removed\n"


def test_retry_relays_queues_dead_letters_and_prints_their_number(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(sqlite_url) as store, store.write() as connection:
        relay_queue.enqueue(
            connection, [relay_queue.NewRelayRequest("main", "target", "{}", "signature", datetime.now(UTC))]
        )
        (request,) = relay_queue.next_requests(connection, "main", "target", 1)
        relay_queue.mark_dead(connection, request.relay_id, "the bot responded 400")
    assert run("retry-relays", "--store-url", sqlite_url) == 0
    assert capsys.readouterr().out == "1 requests queued again\n"
    with open_store(sqlite_url) as store, store.read() as connection:
        assert relay_queue.backlogs(connection) == [relay_queue.RelayBacklog("main", "target", 1, 0)]


@pytest.mark.parametrize("command", [("purge", "--inbox-retention-days", "30"), ("retry-relays",)])
def test_no_command_creates_a_store(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mistyped.db"
    assert run(*command, "--store-url", f"sqlite:///{file}") == 1
    assert "there is no store at" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize("missing", ["httptools", "prometheus_client", "starlette", "uvicorn"])
def test_a_missing_extra_is_named_in_one_line(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None if name == missing else find_spec(name)

    monkeypatch.setattr(cli, "find_spec", find)
    assert run("serve") == 1
    assert capsys.readouterr().err == (
        f"tap-line-webhook: the receiver needs {missing}: install the extra with pip install 'singer-line[webhook]'\n"
    )


@pytest.mark.parametrize("arguments", [(), ("serve", "--prot", "1"), ("serve", "--channel-secret", "s"), ("unknown",)])
def test_a_wrong_command_line_has_exit_code_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert "Usage: tap-line-webhook" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith("tap-line-webhook ")
