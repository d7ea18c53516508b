"""Counts requests by endpoint and response status."""

from __future__ import annotations

DROPPED = "dropped"
"""The status of a request whose connection was closed without a response."""


class RequestCounts:
    """Number of requests by endpoint and status."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int | str], int] = {}

    def add(self, endpoint: str, status: int | str) -> None:
        """Count one request; `status` is an HTTP status or `DROPPED`."""
        key = (endpoint, status)
        self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def total(self) -> int:
        """The number of requests."""
        return sum(self._counts.values())

    def by_endpoint(self) -> dict[str, dict[str, int]]:
        """Return the counts in the format of the control API: status to number, by endpoint."""
        counts: dict[str, dict[str, int]] = {}
        for (endpoint, status), count in sorted(self._counts.items(), key=str):
            counts.setdefault(endpoint, {})[str(status)] = count
        return counts
