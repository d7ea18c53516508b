"""A real browser without a window, driven by its DevTools protocol."""

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
_PATIENCE_SECONDS = 20


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self.complaints: list[str] = []
        """What scripts complained of: errors on the console and uncaught exceptions."""

    async def ask(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=_PATIENCE_SECONDS)
            if message.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(str(message["params"]["exceptionDetails"]))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    async def value(self, expression: str) -> Any:
        """What an expression of JavaScript comes to."""
        answer = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression of JavaScript is true."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await self.value(expression):
                await asyncio.sleep(0.05)

    async def text(self, selector: str) -> str:
        """The text that somebody reads of an element."""
        shown: str = await self.value(f"document.querySelector({selector!r}).innerText")
        return shown

    async def texts(self, selector: str) -> list[str]:
        """The texts of all elements of a kind."""
        shown: list[str] = await self.value(f"[...document.querySelectorAll({selector!r})].map((one) => one.innerText)")
        return shown

    async def screenshot(self, file: Path) -> None:
        """Keep a picture of the page."""
        answer = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(answer["data"]))  # noqa: ASYNC240 - one small file, and nobody else waits


@asynccontextmanager
async def open_page(url: str, profile: Path) -> AsyncIterator[Page]:
    """Open a page in a browser of its own; `profile` is an empty directory for its data."""
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
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not (found := re.search(rb"ws://(\S+?)/devtools", await process.stderr.readline())):
                assert process.returncode is None, "the browser ended"
        drained = asyncio.create_task(process.stderr.read())
        browser = f"http://{found[1].decode()}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{browser}/json/list") as answer:
                (target,) = [one for one in await answer.json() if one["type"] == "page"]
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket)
                await page.ask("Runtime.enable")
                await page.ask("Page.enable")
                await page.ask(
                    "Emulation.setDeviceMetricsOverride", width=1400, height=1400, deviceScaleFactor=1, mobile=False
                )
                await page.ask("Page.navigate", url=url)
                yield page
                await page.ask("Browser.close")
        await drained
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
