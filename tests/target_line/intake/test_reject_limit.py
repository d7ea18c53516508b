"""The limit of rejected records, `max_rejects`."""

from __future__ import annotations

import pytest

from line_core.errors import SettingError
from target_line.intake.reject_limit import RejectLimit


@pytest.mark.parametrize(
    ("limit", "rejected", "of", "final", "exceeded"),
    [
        (None, 100, 100, True, False),
        (0, 0, 100, True, False),
        ("0", 1, 100, False, True),
        (5, 5, 5, True, False),
        (5, 6, 1000, False, True),
        ("5%", 5, 99, False, False),
        ("5%", 5, 99, True, True),
        ("5%", 5, 100, False, False),
        ("5 %", 6, 100, False, True),
    ],
)
def test_the_reject_limit_is_a_number_or_a_share(
    limit: int | str | None, rejected: int, of: int, final: bool, exceeded: bool
) -> None:
    assert (RejectLimit.parse(limit).error(rejected, of, final=final) is not None) is exceeded


@pytest.mark.parametrize("value", ["five", "-1", "101%", "5%%", 1.5])
def test_an_invalid_reject_limit_is_an_error(value: str | float) -> None:
    with pytest.raises(SettingError, match="setting: max_rejects"):
        RejectLimit.parse(value)
