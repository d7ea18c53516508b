"""Aggregates the demographics of the account's followers.

Source: LINE Messaging API reference, "Get friend demographics".
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from line_sandbox.users.demographics import UserDemographics

_AGE_STARTS = (0, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70)
_PERIODS = (7, 30, 90, 180, 365)


def friend_demographics(users: Sequence[UserDemographics]) -> dict[str, list[dict[str, Any]]]:
    """Return the percentages of each gender, age band, area, app type and length of friendship."""
    return {
        "genders": _percentages("gender", (user.gender or "unknown" for user in users)),
        "ages": _percentages("age", (_age_band(user.age) for user in users)),
        "areas": _percentages("area", (user.area_name for user in users)),
        "appTypes": _percentages("appType", (user.app_type or "others" for user in users)),
        "subscriptionPeriods": _percentages(
            "subscriptionPeriod", (_friendship_band(user.friend_days) for user in users)
        ),
    }


def _percentages(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
    counts = Counter(values)
    total = counts.total()
    return [{name: value, "percentage": round(100 * count / total, 1)} for value, count in counts.most_common()]


def _age_band(age: int | None) -> str:
    if age is None:
        return "unknown"
    starts = [start for start in _AGE_STARTS if start <= age]
    if len(starts) == len(_AGE_STARTS):
        return "from70"
    return f"from{starts[-1]}to{_AGE_STARTS[len(starts)] - 1}"


def _friendship_band(days: int) -> str:
    for period in _PERIODS:
        if days < period:
            return f"within{period}days"
    return "over365days"
