from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.support import programs
from tests.support.sandbox_clients import SandboxClient, Sdk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path


@pytest.fixture
def sandbox(sandbox_url: str) -> SandboxClient:
    """A client of the shared sandbox after a reset: 1,000 followers, seed 1."""
    return SandboxClient(sandbox_url)


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., SandboxClient]]:
    """A function that starts a separate sandbox with options."""
    with contextlib.ExitStack() as running:

        def start(*options: object, token: str = "sandbox-token") -> SandboxClient:
            command = ("line-sandbox", "serve", "--port", "0", *map(str, options))
            return SandboxClient(running.enter_context(programs.serve(*command, log=tmp_path / "sandbox.log")), token)

        yield start


@pytest.fixture(params=["sync", "async"])
async def sdk(request: pytest.FixtureRequest, sandbox_url: str) -> AsyncIterator[Sdk]:
    """LINE's official SDK on the shared sandbox; the test runs with the synchronous and the asynchronous SDK."""
    client = Sdk(sandbox_url, is_async=request.param == "async")
    yield client
    await client.close()
