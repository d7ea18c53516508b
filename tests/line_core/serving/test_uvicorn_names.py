"""The undocumented names of uvicorn that the project uses. A failure here names what a new version removed."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any
from unittest.mock import Mock

import pytest
from uvicorn import Config, Server
from uvicorn.server import ServerState

from line_core.serving.uvicorn_names import (
    CYCLE_ATTRIBUTES,
    PROTOCOL_ATTRIBUTES,
    PROTOCOL_CALLBACKS,
    HttpToolsProtocol,
    Multiprocess,
)


async def _application(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


@pytest.fixture
async def protocol() -> HttpToolsProtocol:
    """A connection that has received one request."""
    protocol = HttpToolsProtocol(Config(_application, log_config=None), ServerState(), {})
    protocol.connection_made(Mock(get_extra_info=Mock(return_value=None)))
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")
    await asyncio.gather(*protocol.tasks)
    return protocol


@pytest.mark.parametrize("name", [*PROTOCOL_ATTRIBUTES, *PROTOCOL_CALLBACKS])
async def test_the_protocol_has_the_attribute(protocol: HttpToolsProtocol, name: str) -> None:
    assert hasattr(protocol, name), f"HttpToolsProtocol.{name}"


@pytest.mark.parametrize("name", CYCLE_ATTRIBUTES)
async def test_the_request_cycle_has_the_attribute(protocol: HttpToolsProtocol, name: str) -> None:
    assert hasattr(protocol.cycle, name), f"HttpToolsProtocol.cycle.{name}"


def test_the_servers_accept_the_arguments_that_the_programs_pass() -> None:
    assert list(inspect.signature(Multiprocess).parameters) == ["config", "sockets"]
    assert "sockets" in inspect.signature(Server.run).parameters
    assert "http" in inspect.signature(Config).parameters
