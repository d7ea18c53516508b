"""Numbers of accepted and rejected records by stream: a stream of which nothing is accepted is an error."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from line_core.errors import LineError
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_line.intake.rejects import Reject


class AllRejectedError(LineError):
    """Every record of a stream was rejected."""

    exit_code = 3


class StreamTally:
    """Accepted and rejected records of one run by stream."""

    def __init__(self) -> None:
        self._accepted: Counter[str] = Counter()
        self._rejected: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add_accepted(self, stream: str, records: int) -> None:
        """Count accepted records."""
        self._accepted[stream] += records

    def add_rejects(self, rejects: Sequence[Reject]) -> None:
        """Count rejected records, except those of erased persons, which are rejected as they must be."""
        for reject in rejects:
            if reject.reason is Reason.FORGOTTEN:
                continue
            reason = f"{reject.reason} ({reject.column})" if reject.column else str(reject.reason)
            self._rejected[reject.stream][reason] += 1

    def error(self) -> AllRejectedError | None:
        """Return an error that names the streams of which every record was rejected, None if there is none."""
        problems = [
            f"stream {stream!r}: all {reasons.total():,} records were rejected: "
            + ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))
            for stream, reasons in sorted(self._rejected.items())
            if reasons and not self._accepted[stream]
        ]
        if not problems:
            return None
        return AllRejectedError(
            "; ".join(problems) + ". The state is not passed on, so that the tap emits these records again; see "
            "`target-line-admin rejects`"
        )
