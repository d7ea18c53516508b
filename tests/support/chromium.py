"""A headless Chromium, controlled over the DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
_TIMEOUT_SECONDS = 20


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.errors: list[str] = []
        """Uncaught exceptions of the page's scripts."""

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the DevTools protocol and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=_TIMEOUT_SECONDS)
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"]))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        response = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in response, response
        return response["result"].get("value")

    async def wait_until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            while not await self.evaluate(expression):
                await asyncio.sleep(0.05)

    async def text(self, selector: str) -> str:
        """Return the visible text of the first element that matches a CSS selector."""
        text: str = await self.evaluate(f"document.querySelector({selector!r}).innerText")
        return text

    async def texts(self, selector: str) -> list[str]:
        """Return the visible texts of all elements that match a CSS selector."""
        texts: list[str] = await self.evaluate(
            f"[...document.querySelectorAll({selector!r})].map((element) => element.innerText)"
        )
        return texts

    async def screenshot(self, file: Path) -> None:
        """Write a PNG image of the page."""
        response = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(response["data"]))  # noqa: ASYNC240 - one small file; no other task is waiting


@asynccontextmanager
async def open_page(url: str, profile: Path) -> AsyncIterator[Page]:
    """Open a page in a new browser process; `profile` is an empty directory for its data."""
    assert CHROMIUM
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *_OPTIONS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            while not (found := re.search(rb"ws://(\S+?)/devtools", await process.stderr.readline())):
                assert process.returncode is None, "the browser exited"
        drained = asyncio.create_task(process.stderr.read())
        browser = f"http://{found[1].decode()}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{browser}/json/list") as response:
                (target,) = [entry for entry in await response.json() if entry["type"] == "page"]
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                await page.call("Runtime.enable")
                await page.call("Page.enable")
                await page.call(
                    "Emulation.setDeviceMetricsOverride", width=1400, height=1400, deviceScaleFactor=1, mobile=False
                )
                await page.call("Page.navigate", url=url)
                yield page
                await page.call("Browser.close")
        await drained
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
