"""How many requests came for each endpoint, and what they were answered."""

from __future__ import annotations

DROPPED = "dropped"


class RequestsSeen:
    """Counts by endpoint and status."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int | str], int] = {}

    def count(self, endpoint: str, status: int | str) -> None:
        """Count one; its status is `dropped` where the connection ended without an answer."""
        key = (endpoint, status)
        self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self._counts.values())

    def by_endpoint(self) -> dict[str, dict[str, int]]:
        """The counts, as the control API tells them."""
        counts: dict[str, dict[str, int]] = {}
        for (endpoint, status), count in sorted(self._counts.items(), key=str):
            counts.setdefault(endpoint, {})[str(status)] = count
        return counts
