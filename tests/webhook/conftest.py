from __future__ import annotations

import base64
import contextlib
import hmac
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "the-channel-secret"


class Receiver:
    """A running `tap-line-webhook` and the sender that knows its secret."""

    def __init__(self, process: subprocess.Popen[str], url: str, store_url: str) -> None:
        self.process = process
        self.url = url
        self.store_url = store_url

    def post(self, body: bytes, *, signature: str | None = None, path: str = "/webhook/main") -> int:
        if signature is None:
            signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
        request = urllib.request.Request(self.url + path, data=body, headers={"x-line-signature": signature})
        return self._status(request)

    def post_events(self, *events: dict[str, Any]) -> int:
        return self.post(json.dumps({"destination": "U" + "0" * 32, "events": events}).encode())

    def get(self, path: str) -> int:
        return self._status(urllib.request.Request(self.url + path))

    @staticmethod
    def _status(request: urllib.request.Request) -> int:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code


@pytest.fixture
def start_receiver(tmp_path: Path) -> Iterator[Callable[..., Receiver]]:
    """Start the program as a user would; settings go by environment."""
    with contextlib.ExitStack() as running:

        def start(store_url: str = f"sqlite:///{tmp_path}/store.db", **settings: object) -> Receiver:
            environment = {f"TAP_LINE_WEBHOOK_{name.upper()}": str(value) for name, value in settings.items()}
            process = subprocess.Popen(
                [sys.executable, "-m", "tap_line.webhook.cli", "serve", "--store-url", store_url, "--port", "0"],
                env={**os.environ, "TAP_LINE_WEBHOOK_CHANNEL_SECRET": SECRET, **environment},
                stdout=subprocess.PIPE,
                text=True,
                cwd=tmp_path,
            )
            running.enter_context(process)
            running.callback(process.terminate)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("tap-line-webhook ready at "), line
            return Receiver(process, line.split()[-1], store_url)

        yield start
