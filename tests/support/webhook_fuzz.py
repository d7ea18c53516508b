"""Malformed requests, and assertions that must hold after any number of them."""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from linebot.v3.webhook import SignatureValidator

from tests.support.webhook_events import DOCUMENTED, SECRET, body_of, event, signature

if TYPE_CHECKING:
    from tests.support.receiver_program import Receiver

STATUSES = {200, 400, 401, 404, 405, 413, 503}
_METHODS = (b"POST", b"GET", b"PUT", b"HEAD", b"OPTIONS", b"P\xff", b"")
_PATHS = (b"/webhook/main", b"/webhook/other", b"/webhook/", b"/", b"/webhook/main/..", b"/webhook/%00", b"*")
_FRAGMENTS = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"1e999",
    b"NaN",
    b"[" * 3000,
    b"\x00",
)
_MALFORMED_SIGNATURES = (b"", b"wrong", b"\xff", b"x" * 500)
_VALID_TARGET = (b"POST", b"/webhook/main")


class Fuzzer:
    """Sends mutated requests over raw connections, from a seeded random, and records the expected results."""

    def __init__(self, receiver: Receiver, seed: int) -> None:
        """Prepare to send to the receiver's channel `main`."""
        self._random = random.Random(seed)
        self._sdk_validator = SignatureValidator(SECRET)
        parts = urlsplit(receiver.url)
        self._address = (str(parts.hostname), parts.port or 0)
        self._connection: socket.socket | None = None
        self.statuses: Counter[int | None] = Counter()
        """Number of responses by status; None for a connection closed without a response."""
        self.may_be_stored: set[str] = set()
        """JSON texts of the events in requests with a valid signature."""
        self.accepted_events = 0
        """Number of events in requests with response 200."""

    def run(self, requests: int) -> None:
        """Send requests.

        Raises:
            AssertionError: The response to a well-framed request does not match the official SDK's signature check.
        """
        for _ in range(requests):
            self._send_one()
        self._close()

    def _send_one(self) -> None:
        rng = self._random
        body = self._body()
        sent_signature = signature(body).encode() if rng.random() < 0.6 else rng.choice(_MALFORMED_SIGNATURES)
        method = b"POST" if rng.random() < 0.9 else rng.choice(_METHODS)
        path = b"/webhook/main" if rng.random() < 0.9 else rng.choice(_PATHS)
        length = len(body) if rng.random() < 0.97 else rng.choice((0, -1, len(body) // 2))
        head = method + b" " + path + b" HTTP/1.1\r\nHost: x\r\nx-line-signature: " + sent_signature + b"\r\n"
        status = self._exchange(method, head + b"Content-Length: %d\r\n\r\n" % length + body)
        self.statuses[status] += 1
        if length != len(body):
            self._close()  # the server would parse the rest of the body as the next request
        elif (method, path) == _VALID_TARGET:
            self._check_response(body, sent_signature, status)

    def _check_response(self, body: bytes, sent_signature: bytes, status: int | None) -> None:
        assert status is not None
        is_signed = self._is_signed(body, sent_signature)
        assert (status == 401) is not is_signed, (status, body, sent_signature)
        if is_signed:
            events = _events(body)
            self.may_be_stored.update(map(_canonical, events))
            if status == 200:
                self.accepted_events += len(events)

    def _is_signed(self, body: bytes, sent_signature: bytes) -> bool:
        """Check the signature with the official SDK, which accepts only UTF-8 bodies."""
        try:
            return bool(self._sdk_validator.validate(body.decode(), sent_signature.decode()))
        except UnicodeDecodeError:
            return sent_signature == signature(body).encode()

    def _body(self) -> bytes:
        rng = self._random
        kind = rng.random()
        if kind < 0.1:
            return rng.randbytes(rng.randint(0, 200))
        number = rng.randrange(1000)
        body = bytearray(body_of(*rng.choices([*DOCUMENTED, event(number)], k=rng.randint(0, 3))))
        if kind < 0.8:
            for _ in range(rng.randint(1, 4)):
                at = rng.randint(0, len(body))
                if rng.random() < 0.5:
                    body[at:at] = rng.choice(_FRAGMENTS)
                else:
                    del body[at : at + rng.randint(1, 20)]
        return bytes(body)

    def _exchange(self, method: bytes, request: bytes) -> int | None:
        if self._connection is None:
            self._connection = socket.create_connection(self._address, timeout=10)
        response = HTTPResponse(self._connection, method=method.decode("latin-1"))
        try:
            self._connection.sendall(request)
            response.begin()
            response.read()
        except (ConnectionError, HTTPException):
            self._close()
            return None
        if response.will_close:
            self._close()
        return response.status

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def assert_consistent(receiver: Receiver, fuzzer: Fuzzer) -> None:
    """Assert that all statuses are expected, accepted events and no others are stored, and the receiver still works."""
    assert set(fuzzer.statuses) - {None} <= STATUSES, fuzzer.statuses
    assert {200, 400, 401, 404, 405} <= set(fuzzer.statuses), fuzzer.statuses
    assert fuzzer.statuses[None] < fuzzer.statuses.total() / 50, fuzzer.statuses
    assert receiver.send(event(10**9)) == 200
    allowed = fuzzer.may_be_stored | {_canonical(event(10**9))}
    stored = receiver.stored()
    for row in stored:
        if row.message_state != "unsent":
            assert _canonical(json.loads(row.payload)) in allowed
    assert sum(row.deliveries for row in stored) == fuzzer.accepted_events + 1
    assert "Traceback" not in receiver.log.read_text()


def _events(body: bytes) -> list[object]:
    """Return the events of a signed body, parsed with the standard library."""
    try:
        events = json.loads(body)["events"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return events if isinstance(events, list) else []


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)
