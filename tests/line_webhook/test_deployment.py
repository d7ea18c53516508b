"""The files in `docs/deploy` are what nginx, systemd and pip take, and name what there is."""

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


def test_the_unit_starts_the_program_with_options_that_it_has() -> None:
    program, *arguments = shlex.split(service()["ExecStart"])
    assert (servers.PROGRAMS / Path(program).name).exists()
    assert parsed_options(arguments)["workers"] == "2"


def test_the_unit_gives_the_receiver_the_time_to_drain() -> None:
    defaults = ReceiverSettings()
    assert int(service()["TimeoutStopSec"]) > defaults.drain_seconds + defaults.relay_timeout_seconds


def test_the_unit_names_settings_that_there_are() -> None:
    named = set(re.findall(rf"{ENVIRONMENT_PREFIX}([A-Z_]+)", UNIT.read_text()))
    assert named
    assert {name.lower() for name in named} <= set(SETTING_NAMES)


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    here = tmp_path / UNIT.name
    program = shlex.split(service()["ExecStart"])[0]
    here.write_text(UNIT.read_text().replace(program, str(servers.PROGRAMS / Path(program).name)))
    done = subprocess.run([analyze, "verify", here], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []


def test_the_container_holds_what_the_program_needs() -> None:
    copied = [word for line in container_instruction("COPY") for word in line.split()[:-1]]
    packages = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wheel = packages["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {*wheel, "pyproject.toml", packages["project"]["readme"]} <= set(copied)
    assert all((PROJECT / name).exists() for name in copied)
    (extras,) = re.findall(r"\[([a-z,]+)\]", container_instruction("RUN")[0])
    assert set(extras.split(",")) <= set(packages["project"]["optional-dependencies"])


def test_the_container_starts_the_program_with_options_that_it_has() -> None:
    program, *arguments = json.loads(container_instruction("ENTRYPOINT")[0])
    assert (servers.PROGRAMS / program).exists()
    parsed = parsed_options([*arguments, *json.loads(container_instruction("CMD")[0])])
    assert [parsed["port"]] == container_instruction("EXPOSE")


def test_nginx_passes_requests_on_and_hides_the_rest(tmp_path: Path, receiver: Receiver) -> None:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("needs nginx")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = (DEPLOY / "nginx.conf").read_text().replace("127.0.0.1:8801", receiver.url.removeprefix("http://"))
    site = re.sub(r"ssl_certificate.*", "", site).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    places = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy"))
    whole = f"daemon off; pid {tmp_path}/pid; events {{}} http {{ access_log off; {places} {site} }}"
    (tmp_path / "nginx.conf").write_text(whole)
    with (
        (tmp_path / "nginx.log").open("wb") as log,
        servers.running([nginx, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"], stderr=log),
    ):
        body = body_of(event(1))
        url = f"http://127.0.0.1:{port}"
        assert _post_when_up(f"{url}/webhook/main", body, signature(body)) == 200
        assert _post_when_up(f"{url}/webhook/main", body, "wrong") == 401
        assert [requests.get(url + path, timeout=5).status_code for path in ("/metrics", "/ready")] == [404, 404]
    assert len(receiver.stored()) == 1


def _post_when_up(url: str, body: bytes, signed: str) -> int:
    until = time.monotonic() + 10
    while True:
        try:
            return requests.post(url, data=body, headers={"x-line-signature": signed}, timeout=5).status_code
        except requests.ConnectionError:
            assert time.monotonic() < until
            time.sleep(0.05)
