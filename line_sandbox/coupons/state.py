"""Coupons.

Source: LINE Messaging API reference, "Coupon".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import Gone, InvalidRequest, NotFound
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.foundation.ulid import ulid

if TYPE_CHECKING:
    from collections.abc import Collection

    from line_sandbox.foundation.clock import Clock

MAX_VALID = 5000

_DAY = 24 * 3600
_NAMELESS = ""
_OLD_COUPONS = (
    ("Welcome: 100 yen off", {"type": "fixed", "fixedAmount": 100, "currency": "JPY"}, 365, False),
    ("Last year's sale", {"type": "percentage", "percentage": 20}, -30, False),
    ("Next season (draft)", {"type": "percentage", "percentage": 10}, 365, True),
)


@dataclass(slots=True)
class Coupon:
    """A coupon."""

    id: str
    content: dict[str, Any]
    """LINE's coupon object, as it was asked for, with the currency that LINE sets."""
    created: float
    """Seconds since 1970."""
    is_draft: bool = False
    is_closed: bool = False

    def status(self, now: float) -> str:
        """What LINE calls its state."""
        if self.is_draft:
            return "DRAFT"
        return "CLOSED" if self.is_closed or now >= self.content["endTimestamp"] else "RUNNING"


class Coupons:
    """The coupons of an account; in the beginning there are three that its owner made by hand."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._chance = SeededRandom(seed, "coupons")
        self._coupons: dict[str, Coupon] = {}
        for title, price, days, is_draft in _OLD_COUPONS:
            now = clock.now()
            content = {
                "title": title,
                "reward": {"type": "discount", "priceInfo": price},
                "acquisitionCondition": {"type": "normal"},
                "startTimestamp": int(now - 60 * _DAY),
                "endTimestamp": int(now + days * _DAY),
                "timezone": "ASIA_TOKYO",
                "visibility": "UNLISTED",
                "maxUseCountPerTicket": 1,
            }
            self._add(content, now - 60 * _DAY).is_draft = is_draft

    def create(self, content: dict[str, Any]) -> Coupon:
        """Make a coupon.

        Raises:
            InvalidRequest: There are too many valid ones.
        """
        now = self._clock.now()
        if sum(coupon.status(now) == "RUNNING" for coupon in self._coupons.values()) >= MAX_VALID:
            raise InvalidRequest.with_details(Problem(_NAMELESS, "You have too many coupons created."))
        return self._add(content, now)

    def find(self, coupon_id: str) -> Coupon:
        """A coupon by its id.

        Raises:
            NotFound: There is none.
        """
        coupon = self._coupons.get(coupon_id)
        if coupon is None:
            raise NotFound("The request body has 1 error(s)", [Problem(_NAMELESS, "coupon not found")])
        return coupon

    def close(self, coupon_id: str) -> None:
        """Discontinue a coupon.

        Raises:
            Gone: It is closed.
            NotFound: There is none.
        """
        coupon = self.find(coupon_id)
        if coupon.status(self._clock.now()) == "CLOSED":
            problem = Problem(_NAMELESS, "The coupon has already been closed.")
            raise Gone("The request body has 1 error(s)", [problem])
        coupon.is_closed = True

    def all(self, statuses: Collection[str]) -> list[Coupon]:
        """Those in some states, or all; the newest first."""
        now = self._clock.now()
        found = [coupon for coupon in self._coupons.values() if not statuses or coupon.status(now) in statuses]
        return found[::-1]

    def _add(self, content: dict[str, Any], created: float) -> Coupon:
        price = content.get("reward", {}).get("priceInfo")
        if price and price["type"] in ("fixed", "explicit"):
            price["currency"] = "JPY"
        coupon_id = ulid(int(created * 1000), self._chance.integer(len(self._coupons), 10))
        self._coupons[coupon_id] = Coupon(coupon_id, content, created)
        return self._coupons[coupon_id]
