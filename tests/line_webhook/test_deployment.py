"""nginx and systemd accept the files in `docs/deploy`, and these files name existing options, settings and packages."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import socket
import subprocess
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from examples.demo import servers
from line_webhook.cli import cli
from line_webhook.settings import ENVIRONMENT_PREFIX, SETTING_NAMES, ReceiverSettings
from tests.support.webhook_events import body_of, event, signature

if TYPE_CHECKING:
    from tests.support.receiver_program import Receiver

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "docs" / "deploy"
UNIT = DEPLOY / "tap-line-webhook.service"
CONTAINER = DEPLOY / "Containerfile"


def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # the documented way to keep the case
    unit.read_string(UNIT.read_text())
    return unit["Service"]


def parsed_options(arguments: list[str]) -> dict[str, Any]:
    """Parse a command line without running the command."""
    command, *options = arguments
    return cli.commands[command].make_context(command, options).params


def container_instruction(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", CONTAINER.read_text(), re.MULTILINE)


def test_the_unit_starts_the_program_with_existing_options() -> None:
    program, *arguments = shlex.split(service()["ExecStart"])
    assert (servers.PROGRAMS / Path(program).name).exists()
    assert parsed_options(arguments)["workers"] == "2"


def test_the_stop_timeout_of_the_unit_is_longer_than_the_drain() -> None:
    defaults = ReceiverSettings()
    assert int(service()["TimeoutStopSec"]) > defaults.drain_seconds + defaults.relay_timeout_seconds


def test_the_unit_names_existing_settings() -> None:
    named = set(re.findall(rf"{ENVIRONMENT_PREFIX}([A-Z_]+)", UNIT.read_text()))
    assert named
    assert {name.lower() for name in named} <= set(SETTING_NAMES)


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    local_unit = tmp_path / UNIT.name
    program = shlex.split(service()["ExecStart"])[0]
    local_unit.write_text(UNIT.read_text().replace(program, str(servers.PROGRAMS / Path(program).name)))
    verified = subprocess.run([analyze, "verify", local_unit], capture_output=True, text=True, check=False)
    assert [line for line in verified.stderr.splitlines() if UNIT.name in line] == []


def test_the_container_copies_the_files_that_the_wheel_needs() -> None:
    copied = [word for line in container_instruction("COPY") for word in line.split()[:-1]]
    packages = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wheel = packages["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*wheel, "pyproject.toml", packages["project"]["readme"]} <= set(copied)
    assert all((PROJECT / name).exists() for name in copied)
    (extras,) = re.findall(r"\[([a-z,]+)\]", container_instruction("RUN")[0])
    assert set(extras.split(",")) <= set(packages["project"]["optional-dependencies"])


def test_the_container_starts_the_program_with_existing_options() -> None:
    program, *arguments = json.loads(container_instruction("ENTRYPOINT")[0])
    assert (servers.PROGRAMS / program).exists()
    parsed = parsed_options([*arguments, *json.loads(container_instruction("CMD")[0])])
    assert [parsed["port"]] == container_instruction("EXPOSE")


def test_nginx_forwards_webhook_requests_and_no_other_paths(tmp_path: Path, receiver: Receiver) -> None:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("needs nginx")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    site = (DEPLOY / "nginx.conf").read_text().replace("127.0.0.1:8801", receiver.url.removeprefix("http://"))
    site = re.sub(r"ssl_certificate.*", "", site).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    temporary_paths = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy"))
    config = f"daemon off; pid {tmp_path}/pid; events {{}} http {{ access_log off; {temporary_paths} {site} }}"
    (tmp_path / "nginx.conf").write_text(config)
    with (
        (tmp_path / "nginx.log").open("wb") as log,
        servers.running([nginx, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"], stderr=log),
    ):
        body = body_of(event(1))
        url = f"http://127.0.0.1:{port}"
        assert post_when_up(f"{url}/webhook/main", body, signature(body)) == 200
        assert post_when_up(f"{url}/webhook/main", body, "wrong") == 401
        assert [requests.get(url + path, timeout=5).status_code for path in ("/metrics", "/ready")] == [404, 404]
    assert len(receiver.stored()) == 1


def post_when_up(url: str, body: bytes, signed: str) -> int:
    deadline = time.monotonic() + 10
    while True:
        try:
            return requests.post(url, data=body, headers={"x-line-signature": signed}, timeout=5).status_code
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
