"""Requests that no decent client sends, and what must hold after any number of them."""

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

ANSWERS = {200, 400, 401, 404, 405, 413, 503}
_METHODS = (b"POST", b"GET", b"PUT", b"HEAD", b"OPTIONS", b"P\xff", b"")
_PATHS = (b"/webhook/main", b"/webhook/other", b"/webhook/", b"/", b"/webhook/main/..", b"/webhook/%00", b"*")
_PIECES = (
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


_SIGNATURES = (b"", b"wrong", b"\xff", b"x" * 500)
_WHOLE = (b"POST", b"/webhook/main")


class Fuzzer:
    """Sends mutated requests over raw connections, each from a seed, and remembers what must have become of them."""

    def __init__(self, receiver: Receiver, seed: int) -> None:
        """Set up for a receiver with the channel `main`."""
        self._chance = random.Random(seed)
        self._official = SignatureValidator(SECRET)
        parts = urlsplit(receiver.url)
        self._address = (str(parts.hostname), parts.port or 0)
        self._connection: socket.socket | None = None
        self.answers: Counter[int | None] = Counter()
        """How often each status came; none where the connection was closed without one."""
        self.may_be_stored: set[str] = set()
        """Texts of the events that were signed."""
        self.accepted_events = 0
        """Events in the requests that were answered 200."""

    def run(self, requests: int) -> None:
        """Send this many requests.

        Raises:
            AssertionError: A well-framed request was answered otherwise than the official SDK judges its signature.
        """
        for _ in range(requests):
            self._send_one()
        self._close()

    def _send_one(self) -> None:
        chance = self._chance
        body = self._body()
        sign = (
            signature(body).encode() if chance.random() < 0.6 else chance.choice((b"", b"wrong", b"\xff", b"x" * 500))
        )
        method = b"POST" if chance.random() < 0.9 else chance.choice(_METHODS)
        path = b"/webhook/main" if chance.random() < 0.9 else chance.choice(_PATHS)
        length = len(body) if chance.random() < 0.97 else chance.choice((0, -1, len(body) // 2))
        head = method + b" " + path + b" HTTP/1.1\r\nHost: x\r\nx-line-signature: " + sign + b"\r\n"
        status = self._exchange(method, head + b"Content-Length: %d\r\n\r\n" % length + body)
        self.answers[status] += 1
        if length != len(body):
            self._close()  # what stands behind the body would be taken for the next request
        elif (method, path) == _WHOLE:
            self._judge(body, sign, status)

    def _judge(self, body: bytes, sign: bytes, status: int | None) -> None:
        assert status is not None
        is_signed = self._is_signed(body, sign)
        assert (status == 401) is not is_signed, (status, body, sign)
        if is_signed:
            events = _events(body)
            self.may_be_stored.update(map(_canonical, events))
            if status == 200:
                self.accepted_events += len(events)

    def _is_signed(self, body: bytes, sign: bytes) -> bool:
        """The official SDK's verdict; it takes text, which not every body is."""
        try:
            return bool(self._official.validate(body.decode(), sign.decode()))
        except UnicodeDecodeError:
            return sign == signature(body).encode()

    def _body(self) -> bytes:
        chance = self._chance
        kind = chance.random()
        if kind < 0.1:
            return chance.randbytes(chance.randint(0, 200))
        number = chance.randrange(1000)
        body = bytearray(body_of(*chance.choices([*DOCUMENTED, event(number)], k=chance.randint(0, 3))))
        if kind < 0.8:
            for _ in range(chance.randint(1, 4)):
                at = chance.randint(0, len(body))
                if chance.random() < 0.5:
                    body[at:at] = chance.choice(_PIECES)
                else:
                    del body[at : at + chance.randint(1, 20)]
        return bytes(body)

    def _exchange(self, method: bytes, request: bytes) -> int | None:
        if self._connection is None:
            self._connection = socket.create_connection(self._address, timeout=10)
        answer = HTTPResponse(self._connection, method=method.decode("latin-1"))
        try:
            self._connection.sendall(request)
            answer.begin()
            answer.read()
        except (ConnectionError, HTTPException):
            self._close()
            return None
        if answer.will_close:
            self._close()
        return answer.status

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def assert_unharmed(receiver: Receiver, fuzzer: Fuzzer) -> None:
    """No answer but those that are meant; what was accepted is stored, each once; nothing else is; and all is well."""
    assert set(fuzzer.answers) - {None} <= ANSWERS, fuzzer.answers
    assert {200, 400, 401, 404, 405} <= set(fuzzer.answers), fuzzer.answers
    assert fuzzer.answers[None] < fuzzer.answers.total() / 50, fuzzer.answers
    assert receiver.send(event(10**9)) == 200
    allowed = fuzzer.may_be_stored | {_canonical(event(10**9))}
    stored = receiver.stored()
    for one in stored:
        if one.message_state != "unsent":
            assert _canonical(json.loads(one.payload)) in allowed
    assert sum(one.deliveries for one in stored) == fuzzer.accepted_events + 1
    assert "Traceback" not in receiver.log.read_text()


def _events(body: bytes) -> list[object]:
    """The events of a signed body, as Python's own reader of JSON sees them."""
    try:
        events = json.loads(body)["events"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return events if isinstance(events, list) else []


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)
