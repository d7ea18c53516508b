"""The program `line-sandbox`: options, output, access log and signals."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
import requests

from examples.demo.servers import PROGRAMS, program, running
from line_sandbox import cli
from tests.support.sandbox_clients import SandboxClient

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from pathlib import Path

SANDBOX = str(PROGRAMS / "line-sandbox")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SANDBOX, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "option",
    [
        "--host",
        "--port",
        "--followers",
        "--seed",
        "--latency-ms",
        "--quota",
        "--unverified",
        "--module-bots",
        "--no-rate-limits",
        "--no-access-log",
        "--access-token",
        "--channel-id",
        "--channel-secret",
    ],
)
def test_the_help_describes_every_option(option: str) -> None:
    printed = run("serve", "--help").stdout
    assert re.search(rf"^  {option}\b.*\n?.*[a-z]", printed, re.MULTILINE)
    assert "/sandbox/" in printed


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"line-sandbox \d+\.\d+\.\d+\S*\n", run("--version").stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "70000"),
        ("serve", "--port", "x"),
        ("serve", "--followers", "-1"),
        ("serve", "--quota", "-1"),
        ("serve", "--latency-ms", "-1"),
        ("serve", "--latency-ms", "nan"),
        ("serve", "--access-token", ""),
        ("serve", "--unknown"),
        ("unknown",),
        (),
    ],
)
def test_an_invalid_option_is_reported_without_a_traceback(arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "error:" in ended.stderr
    assert not ended.stdout


@pytest.mark.parametrize("missing", ["cryptography", "httptools", "jwt", "uvicorn"])
def test_a_missing_package_of_the_extra_is_reported_in_one_line(
    missing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(name: str) -> ModuleSpec | None:
        return None if name == missing else find_spec(name)

    monkeypatch.setattr(cli, "find_spec", find)
    assert cli.main(["serve"]) == 1
    assert capsys.readouterr().err == (
        f"line-sandbox: the sandbox needs {missing}: install the extra with pip install 'singer-line[sandbox]'\n"
    )


def test_an_address_in_use_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = run("serve", "--port", str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"line-sandbox: cannot listen on 127.0.0.1:{port}")
    assert ended.stderr.count("\n") == 1
    assert "--port" in ended.stderr


def test_an_address_of_another_machine_is_reported_in_one_line() -> None:
    ended = run("serve", "--host", "192.0.2.1", "--port", "0")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "--host" in ended.stderr


def test_stdout_has_only_the_line_with_the_url(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("wb") as log,
        running([SANDBOX, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        url = re.fullmatch(r"line-sandbox ready at (http://127\.0\.0\.1:\d+)\n", line)
        assert url
        assert requests.get(url[1] + "/sandbox/health", timeout=10).json() == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
        assert process.wait(20) in (0, -signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_program_immediately_with_open_connections(tmp_path: Path, number: signal.Signals) -> None:
    with (
        (tmp_path / "log").open("w+b") as log,
        running([SANDBOX, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=log) as process,
    ):
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        requests.post(url + "/sandbox/faults", json={"kind": "timeout", "path": "/", "seconds": 60}, timeout=10)
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /v2/bot/info HTTP/1.1\r\nHost: x\r\n\r\n")
            requests.get(url + "/sandbox/health", timeout=10)
            process.send_signal(number)
            process.wait(15)
        log.seek(0)
        assert b"Traceback" not in log.read()


def test_it_can_listen_on_ipv6(tmp_path: Path) -> None:
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110 - checks the machine
        pytest.skip("this machine has no IPv6")
    with program("line-sandbox", "serve", "--host", "::1", "--port", "0", log=tmp_path / "log") as url:
        assert re.fullmatch(r"http://\[::1\]:\d+", url)
        assert requests.get(url + "/sandbox/health", timeout=10).ok


def test_credentials_can_be_set(tmp_path: Path) -> None:
    options = ("--access-token", "my-token", "--channel-id", "42", "--channel-secret", "my-secret")
    with program("line-sandbox", "serve", "--port", "0", *options, log=tmp_path / "log") as url:
        assert SandboxClient(url, "my-token").request("GET", "/v2/bot/info").status_code == 200
        assert SandboxClient(url).request("GET", "/v2/bot/info").status_code == 401
        form = {"grant_type": "client_credentials", "client_id": "42", "client_secret": "my-secret"}
        assert requests.post(url + "/oauth2/v3/token", data=form, timeout=10).status_code == 200


def test_the_access_log_has_one_line_for_each_request_and_no_secrets(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with program("line-sandbox", "serve", "--port", "0", "--followers", "3", log=log) as url:
        sandbox = SandboxClient(url)
        user = sandbox.followers(1)[0]
        sandbox.push(user, "text of the message")
        sandbox.push("U" + "0" * 32)
        sandbox.fault("drop_after_accept", "/v2/bot/message/push", count=1)
        with pytest.raises(requests.ConnectionError):
            sandbox.push(user)
        form = {"grant_type": "client_credentials", "client_id": "1234567890", "client_secret": "sandbox-secret"}
        token = requests.post(url + "/oauth2/v3/token", data=form, timeout=10).json()["access_token"]
        requests.get(url + "/oauth2/v2.1/verify", params={"access_token": token}, timeout=10)
        requests.get(url + "/v2/bot/a%0Ab", timeout=10)
        requests.get(url + "/", timeout=10)
        requests.get(url + "/sandbox/overview", timeout=10)
    lines = log.read_text().splitlines()
    normalized = [re.sub(r"^\d\d:\d\d:\d\d ", "", re.sub(r" \d+\.\d ms", " ms", line)) for line in lines]
    assert normalized == [
        "GET    /sandbox/users 200 ms",
        "POST   /v2/bot/message/push 200 ms  1 delivered",
        "POST   /v2/bot/message/push 400 ms  Failed to send messages",
        "POST   /sandbox/faults 200 ms",
        "POST   /v2/bot/message/push dropped ms  fault drop_after_accept, 1 delivered",
        "POST   /oauth2/v3/token 200 ms",
        "GET    /oauth2/v2.1/verify 200 ms",
        "GET    '/v2/bot/a\\nb' 404 ms  Not found",
    ]
    text = log.read_text()
    assert token not in text
    assert "sandbox-secret" not in text
    assert "sandbox-token" not in text
    assert "text of the message" not in text


def test_the_access_log_can_be_disabled(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with program("line-sandbox", "serve", "--port", "0", "--no-access-log", log=log) as url:
        SandboxClient(url).request("GET", "/v2/bot/info")
    assert log.read_text() == ""


def test_responses_of_lines_endpoints_have_the_configured_latency(tmp_path: Path) -> None:
    with program("line-sandbox", "serve", "--port", "0", "--latency-ms", "200", log=tmp_path / "log") as url:
        response = SandboxClient(url).request("GET", "/v2/bot/info")
        assert response.elapsed.total_seconds() >= 0.2
        assert requests.get(url + "/sandbox/health", timeout=10).elapsed.total_seconds() < 0.2
