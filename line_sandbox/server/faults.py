"""Faults: what a network and a platform do on their bad days, on request."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What goes wrong. Those named `after` go wrong once the request has had its effect."""

    STATUS = "status"
    STATUS_AFTER_ACCEPT = "status_after_accept"
    TIMEOUT = "timeout"
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"
    DROP_BEFORE = "drop_before"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    MALFORMED = "malformed"
    SLOW = "slow"

    @property
    def is_before(self) -> bool:
        """Whether the request has no effect."""
        return self in (FaultKind.STATUS, FaultKind.TIMEOUT, FaultKind.DROP_BEFORE)


@dataclass(slots=True)
class Fault:
    """One fault that was asked for."""

    kind: FaultKind
    path: str
    """Where the paths of the requests that it meets begin."""
    method: str | None = None
    """The method that it meets; None for all."""
    status: int = 500
    seconds: float = 60.0
    left: int | None = None
    """How many requests it still meets; None for any number."""
    probability: float = 1.0
    seed: int = 0
    met: int = 0
    """How many requests it has met."""
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Seed its chance."""
        self._random = random.Random(self.seed)  # noqa: S311 - chance, not secrecy

    def meets(self, method: str, path: str) -> bool:
        """Whether it meets this request; counts it if so."""
        if self.left == 0 or self.method not in (None, method) or not path.startswith(self.path):
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        if self.left is not None:
            self.left -= 1
        self.met += 1
        return True


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put one in force, after the others."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Lift all."""
        self._faults.clear()

    def all(self) -> list[Fault]:
        """Those in force, with what they have met; spent ones too."""
        return list(self._faults)

    def next_for(self, method: str, path: str) -> Fault | None:
        """The first that meets a request."""
        return next((fault for fault in self._faults if fault.meets(method, path)), None)
