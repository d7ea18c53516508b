"""The number or share of rejected records at which a run fails."""

from __future__ import annotations

import re
from dataclasses import dataclass

from line_core.errors import LineError, SettingError

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_MIN_RECORDS_FOR_SHARE = 100
"""Before the end of a run, a share is compared only after this many records."""


class TooManyRejectsError(LineError):
    """More records were rejected than `max_rejects` allows."""


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """The setting `max_rejects`: a number of records, a share of all records, or no limit."""

    count: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, value: float | str | None) -> RejectLimit:
        """Parse a setting such as `100` or `5%`.

        Raises:
            SettingError: The value is neither a whole number nor a percentage up to 100%.
        """
        if value is None:
            return cls()
        percent = _PERCENT.fullmatch(str(value).strip())
        if percent and float(percent[1]) <= 100:  # noqa: PLR2004 - percent
            return cls(share=float(percent[1]) / 100)
        if str(value).strip().isdigit():
            return cls(count=int(value))
        raise SettingError(f"{value!r} is neither a number of records nor a share such as 5%", setting="max_rejects")

    def error(self, rejected: int, records: int, *, final: bool) -> TooManyRejectsError | None:
        """Return an error if the limit is exceeded.

        Args:
            rejected: Number of rejected records.
            records: Number of all records so far.
            final: Whether all records are counted. Before that, a share of few records is not compared.
        """
        if self.count is not None and rejected > self.count:
            allowed = f"{self.count:,}"
        elif (
            self.share is not None and (final or records >= _MIN_RECORDS_FOR_SHARE) and rejected > self.share * records
        ):
            allowed = f"{self.share * 100:g}%"
        else:
            return None
        return TooManyRejectsError(
            f"{rejected:,} of {records:,} records were rejected, {allowed} are allowed; "
            "see `target-line-admin rejects`",
            setting="max_rejects",
        )
