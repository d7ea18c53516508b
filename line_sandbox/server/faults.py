"""Faults that the control API adds: other responses, timeouts, dropped connections, damaged and slow responses."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from line_sandbox.http.request import HttpRequest


class FaultKind(StrEnum):
    """The effect of a fault. Kinds with `after_accept` take effect after the request is processed."""

    STATUS = "status"
    STATUS_AFTER_ACCEPT = "status_after_accept"
    TIMEOUT = "timeout"
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"
    DROP_BEFORE = "drop_before"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    MALFORMED = "malformed"
    SLOW = "slow"
    FIRST_PAGE = "first_page"
    ENDLESS_PAGES = "endless_pages"

    @property
    def prevents_processing(self) -> bool:
        """Whether the request is not processed, so that it changes nothing on the platform."""
        return self in (FaultKind.STATUS, FaultKind.TIMEOUT, FaultKind.DROP_BEFORE)

    @property
    def replaces_response(self) -> bool:
        """Whether the response has the status, body and headers of the fault."""
        return self in (FaultKind.STATUS, FaultKind.STATUS_AFTER_ACCEPT)


@dataclass(frozen=True, slots=True)
class FaultyResponse:
    """The response of a fault of the kind `status` or `status_after_accept`."""

    status: int = 500
    body: bytes | None = None
    """None for LINE's error body."""
    headers: Mapping[str, str] | None = None
    """All headers of the response by name in lower case; None for those of LINE."""
    media_type: str = "application/json"
    """The header `content-type`."""


@dataclass(slots=True)
class Fault:
    """One fault, with the requests that it applies to."""

    kind: FaultKind
    path: str
    """Prefix of the request path."""
    method: str | None = None
    """HTTP method; None for every method."""
    contains: bytes = b""
    """A part of the query or the body of the request, such as a recipient."""
    response: FaultyResponse = FaultyResponse()
    seconds: float = 60.0
    """Duration, for the kinds `timeout`, `timeout_after_accept` and `slow`."""
    left: int | None = None
    """Number of requests that the fault still applies to; None for no limit."""
    probability: float = 1.0
    """Probability that the fault applies to a matching request."""
    seed: int = 0
    """Seed for the probability."""
    met: int = 0
    """Number of requests that the fault has applied to."""
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - simulation, not cryptography

    def take(self, request: HttpRequest) -> bool:
        """Decide whether the fault applies to a request, and count the request if it does."""
        if self.left == 0 or self.method not in (None, request.method) or not request.path.startswith(self.path):
            return False
        if self.contains not in request.body and self.contains not in request.query_string:
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        if self.left is not None:
            self.left -= 1
        self.met += 1
        return True


class Faults:
    """The faults that were added, in order."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def all(self) -> list[Fault]:
        """Return all faults, including those with no requests left."""
        return list(self._faults)

    def take(self, request: HttpRequest) -> Fault | None:
        """Return the first fault that applies to a request, and count the request in it."""
        return next((fault for fault in self._faults if fault.take(request)), None)
