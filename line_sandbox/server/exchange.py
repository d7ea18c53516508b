"""Receives request bodies and sends responses over ASGI; a fault can delay, damage or drop a response."""

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
_SLOW_CHUNKS = 10
_MALFORMED_END = b"<html>"


async def receive_body(receive: Receive) -> bytes | None:
    """Return the complete body of a request; None if the client disconnected before its end."""
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
    """The ASGI callables of one request."""

    receive: Receive
    send: Send
    abort: Callable[[], None]
    """Closes the connection immediately, without sending pending data."""


async def send_response(response: HttpResponse, fault: Fault | None, exchange: Exchange) -> bool:
    """Send a response, or apply a fault to it. Return False if the connection was dropped instead."""
    if fault and fault.kind in _TIMEOUTS + _DROPS:
        await _drop(fault, exchange)
        return False
    body = response.body()
    if fault and fault.kind is FaultKind.MALFORMED:
        body = body[: len(body) // 2] + _MALFORMED_END
    headers = [(b"content-type", response.media_type.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in response.headers.items()]
    await exchange.send({"type": "http.response.start", "status": response.status, "headers": headers})
    if fault and fault.kind is FaultKind.SLOW:
        await _send_slowly(body, fault.seconds, exchange)
        body = b""
    await exchange.send({"type": "http.response.body", "body": body})
    return True


async def _drop(fault: Fault, exchange: Exchange) -> None:
    if fault.kind in _TIMEOUTS:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(exchange.receive(), fault.seconds)  # returns when the client disconnects
    exchange.abort()
    await exchange.receive()  # returns when the connection is closed


async def _send_slowly(body: bytes, seconds: float, exchange: Exchange) -> None:
    size = max(1, -(-len(body) // _SLOW_CHUNKS))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / _SLOW_CHUNKS)
        await exchange.send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
