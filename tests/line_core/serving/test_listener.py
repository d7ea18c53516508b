from __future__ import annotations

import socket

import pytest

from line_core.errors import SettingError
from line_core.serving.listener import http_url, open_listener


def test_port_0_opens_a_free_port_that_accepts_connections() -> None:
    with (
        open_listener("127.0.0.1", 0, backlog=1) as listener,
        socket.create_connection(listener.getsockname(), timeout=5),
    ):
        assert listener.getsockname()[1] > 0


def test_the_unspecified_ipv6_address_accepts_ipv4_connections() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("needs IPv6")
    with open_listener("::", 0, backlog=1) as listener:
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=5).close()


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_an_address_that_cannot_be_used_is_a_setting_error(host: str, port: int) -> None:
    with pytest.raises(SettingError, match=rf"cannot listen on {host}:{port}: .*\(setting: --host or --port\)"):
        open_listener(host, port, backlog=1)


def test_a_used_port_is_a_setting_error() -> None:
    with open_listener("127.0.0.1", 0, backlog=1) as listener, pytest.raises(SettingError, match="in use"):
        open_listener("127.0.0.1", listener.getsockname()[1], backlog=1)


def test_a_url_has_brackets_around_an_ipv6_address() -> None:
    assert http_url("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert http_url("::1", 80) == "http://[::1]:80"
