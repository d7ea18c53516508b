"""Demographics of users, as LINE estimates them. They are computed from the seed.

Source: LINE Messaging API reference, "Demographic filter objects", "Get friend demographics".
"""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.foundation.seeded_random import SeededRandom

PREFECTURES = (
    "北海道", "青森", "岩手", "宮城", "秋田", "山形", "福島", "茨城", "栃木", "群馬", "埼玉", "千葉", "東京", "神奈川",
    "新潟", "富山", "石川", "福井", "山梨", "長野", "岐阜", "静岡", "愛知", "三重", "滋賀", "京都", "大阪", "兵庫",
    "奈良", "和歌山", "鳥取", "島根", "岡山", "広島", "山口", "徳島", "香川", "愛媛", "高知", "福岡", "佐賀", "長崎",
    "熊本", "大分", "宮崎", "鹿児島", "沖縄",
)  # fmt: skip

_MAX_AGE = 80
_MIN_AGE = 10
_MAX_FRIEND_DAYS = 1200
_FRACTION_UNKNOWN = 0.1


@dataclass(frozen=True, slots=True)
class UserDemographics:
    """LINE's estimate for one user; None means unknown."""

    gender: str | None
    age: int | None
    """Years."""
    area: str | None
    """Area code as in demographic filters: `jp_01`."""
    app_type: str | None
    friend_days: int
    """Days since the user started to follow the account."""

    @property
    def area_name(self) -> str:
        """The area's name as in the friend demographics, or `unknown`."""
        return PREFECTURES[int(self.area[3:]) - 1] if self.area else "unknown"


class DemographicsEstimator:
    """Computes the demographics of users."""

    def __init__(self, seed: int) -> None:
        self._random = SeededRandom(seed, "demographics")

    def estimate(self, number: int) -> UserDemographics:
        """Return the demographics of a user number."""
        bits = self._random.integer(number, 16)
        gender, age, area, app_type, days, unknown = (bits >> 16 * index & 0xFFFF for index in range(6))
        if unknown < _FRACTION_UNKNOWN * 2**16:
            return UserDemographics(None, None, None, None, days % _MAX_FRIEND_DAYS)
        return UserDemographics(
            ("male", "female")[gender % 2],
            _MIN_AGE + age % (_MAX_AGE - _MIN_AGE),
            f"jp_{1 + (area * area >> 16) % len(PREFECTURES):02d}",
            ("ios", "android", "android", None)[app_type % 4],
            days % _MAX_FRIEND_DAYS,
        )
