"""Who people are, as LINE estimates it: a function of the seed.

Source: LINE Messaging API reference, "Demographic filter objects", "Get friend demographics".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Callable

_OLDEST = 80
_YOUNGEST = 10
_LONGEST_DAYS = 1200
_UNKNOWN_SHARE = 0.1
PREFECTURES = (
    "北海道", "青森", "岩手", "宮城", "秋田", "山形", "福島", "茨城", "栃木", "群馬", "埼玉", "千葉", "東京", "神奈川",
    "新潟", "富山", "石川", "福井", "山梨", "長野", "岐阜", "静岡", "愛知", "三重", "滋賀", "京都", "大阪", "兵庫",
    "奈良", "和歌山", "鳥取", "島根", "岡山", "広島", "山口", "徳島", "香川", "愛媛", "高知", "福岡", "佐賀", "長崎",
    "熊本", "大分", "宮崎", "鹿児島", "沖縄",
)  # fmt: skip
_AGE_STARTS = (0, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70)
_PERIODS = (7, 30, 90, 180, 365)


@dataclass(frozen=True, slots=True)
class Person:
    """What LINE believes of somebody; None where it does not know."""

    gender: str | None
    age: int | None
    area: str | None
    """As filters name it: `jp_01`."""
    app_type: str | None
    friend_days: int
    """How long they have followed the account."""

    @property
    def area_name(self) -> str:
        """The area as the demographics name it."""
        return PREFECTURES[int(self.area[3:]) - 1] if self.area else "unknown"


class Demographics:
    """Everybody's."""

    def __init__(self, seed: int) -> None:
        self._chance = SeededRandom(seed, "demographics")

    def person(self, number: int) -> Person:
        """What LINE believes of a person."""
        draws = self._chance.integer(number, 16)
        gender, age, area, app, days, unknown = (draws >> 16 * place & 0xFFFF for place in range(6))
        if unknown < _UNKNOWN_SHARE * 2**16:
            return Person(None, None, None, None, days % _LONGEST_DAYS)
        return Person(
            ("male", "female")[gender % 2],
            _YOUNGEST + age % (_OLDEST - _YOUNGEST),
            f"jp_{1 + (area * area >> 16) % len(PREFECTURES):02d}",
            ("ios", "android", "android", None)[app % 4],
            days % _LONGEST_DAYS,
        )


def age_band(age: int | None) -> str:
    """How the demographics name an age."""
    if age is None:
        return "unknown"
    starts = [start for start in _AGE_STARTS if start <= age]
    if len(starts) == len(_AGE_STARTS):
        return "from70"
    return f"from{starts[-1]}to{_AGE_STARTS[len(starts)] - 1}"


def friendship_band(days: int) -> str:
    """How the demographics name the length of a friendship."""
    for period in _PERIODS:
        if days < period:
            return f"within{period}days"
    return "over365days"


def matcher(demographic: dict[str, Any]) -> Callable[[Person], bool]:
    """A filter object as a question about a person."""
    match demographic["type"]:
        case "operator":
            return _operator(demographic)
        case "gender":
            return lambda person: person.gender in demographic["oneOf"]
        case "appType":
            return lambda person: person.app_type in demographic["oneOf"]
        case "area":
            return lambda person: person.area in demographic["oneOf"]
        case "age":
            least, less = _bounds(demographic)
            return lambda person: person.age is not None and least <= person.age < less
        case _:
            least, less = _bounds(demographic)
            return lambda person: least <= person.friend_days < less


def _operator(demographic: dict[str, Any]) -> Callable[[Person], bool]:
    if "not" in demographic:
        denied = matcher(demographic["not"])
        return lambda person: not denied(person)
    quantifier = all if "and" in demographic else any
    parts = [matcher(part) for part in demographic.get("and") or demographic["or"]]
    return lambda person: quantifier(part(person) for part in parts)


def _bounds(demographic: dict[str, Any]) -> tuple[float, float]:
    """The numbers in `age_20` or `day_30`."""
    least = demographic.get("gte")
    less = demographic.get("lt")
    return float(least.partition("_")[2]) if least else 0.0, float(less.partition("_")[2]) if less else float("inf")
