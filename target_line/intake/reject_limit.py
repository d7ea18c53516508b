"""How many records a run may refuse before something must be wrong with all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from line_core.errors import LineError, SettingError

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")
_FEWEST_TO_JUDGE_BY = 100


class TooManyRejectsError(LineError):
    """More records were refused than the run allows."""


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """A number of records, or a share of them."""

    count: int | None = None
    share: float | None = None

    @classmethod
    def parse(cls, value: float | str | None) -> RejectLimit:
        """Read `100`, or `5%`.

        Raises:
            SettingError: It is neither.
        """
        if value is None:
            return cls()
        percent = _PERCENT.fullmatch(str(value).strip())
        if percent and float(percent[1]) <= 100:  # noqa: PLR2004 - of a hundred
            return cls(share=float(percent[1]) / 100)
        if str(value).strip().isdigit():
            return cls(count=int(value))
        raise SettingError(f"{value!r} is neither a number of records nor a share such as 5%", setting="max_rejects")

    def exceeded(self, refused: int, of: int, *, final: bool) -> TooManyRejectsError | None:
        """The error that too many rejects are.

        Args:
            refused: How many records were refused.
            of: Out of how many.
            final: Whether there will be no more; a share of few says nothing.
        """
        if self.count is not None and refused > self.count:
            allowed = f"{self.count:,}"
        elif self.share is not None and (final or of >= _FEWEST_TO_JUDGE_BY) and refused > self.share * of:
            allowed = f"{self.share * 100:g}%"
        else:
            return None
        return TooManyRejectsError(
            f"{refused:,} of {of:,} records were refused, {allowed} are allowed; see `target-line-admin rejects`",
            setting="max_rejects",
        )
