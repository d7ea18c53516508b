"""Sends answers, or does to them what a fault says."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.server.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from line_sandbox.http.response import HttpResponse
    from line_sandbox.server.faults import Fault

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TIMEOUTS = (FaultKind.TIMEOUT, FaultKind.TIMEOUT_AFTER_ACCEPT)
_DROPS = (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER_ACCEPT)
_SLOW_PARTS = 10
_NONSENSE = b"<html>"


async def read_body(receive: Receive) -> bytes | None:
    """A request's whole body; None if the client went away before it was all there."""
    message = await receive()
    if not message.get("more_body"):
        return message["body"] if message["type"] == "http.request" else None
    parts = [message["body"]]
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message["body"])
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request's connection."""

    receive: Receive
    send: Send
    drop: Callable[[], None]
    """Ends the connection at once, in the middle of whatever it is at."""


async def answer(reply: HttpResponse, fault: Fault | None, exchange: Exchange) -> bool:
    """Send an answer, unless a fault is against it; tells whether it was sent."""
    receive, send = exchange.receive, exchange.send
    if fault and fault.kind in _TIMEOUTS:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(receive(), fault.seconds)  # until the client has had enough
    if fault and fault.kind in _TIMEOUTS + _DROPS:
        exchange.drop()
        await receive()  # comes back once the connection is gone
        return False
    body = reply.body()
    if fault and fault.kind is FaultKind.MALFORMED:
        body = body[: len(body) // 2] + _NONSENSE
    headers = [(b"content-type", reply.media_type.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if fault and fault.kind is FaultKind.SLOW:
        step = max(1, -(-len(body) // _SLOW_PARTS))
        for start in range(0, len(body), step):
            await asyncio.sleep(fault.seconds / _SLOW_PARTS)
            await send({"type": "http.response.body", "body": body[start : start + step], "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": body})
    return True
