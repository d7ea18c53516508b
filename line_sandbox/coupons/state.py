"""The account's coupons.

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

MAX_RUNNING_COUPONS = 5000

_SECONDS_PER_DAY = 24 * 3600
_NO_PROPERTY = ""
# Coupons that exist at the start, as if created in the account manager: title, price, days until the end, is a draft.
_INITIAL_COUPONS = (
    ("Welcome: 100 yen off", {"type": "fixed", "fixedAmount": 100, "currency": "JPY"}, 365, False),
    ("Last year's sale", {"type": "percentage", "percentage": 20}, -30, False),
    ("Next season (draft)", {"type": "percentage", "percentage": 10}, 365, True),
)
_INITIAL_COUPON_AGE_DAYS = 60


@dataclass(slots=True)
class Coupon:
    """A coupon."""

    id: str
    content: dict[str, Any]
    """LINE's coupon object as in the request, plus the currency that LINE adds."""
    created_at: float
    """Seconds since 1970."""
    is_draft: bool = False
    is_closed: bool = False

    def status(self, now: float) -> str:
        """Return LINE's status."""
        if self.is_draft:
            return "DRAFT"
        return "CLOSED" if self.is_closed or now >= self.content["endTimestamp"] else "RUNNING"


class CouponStore:
    """Creates, closes and lists coupons."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._random = SeededRandom(seed, "coupons")
        self._coupons: dict[str, Coupon] = {}
        for title, price, days, is_draft in _INITIAL_COUPONS:
            now = clock.now()
            created_at = now - _INITIAL_COUPON_AGE_DAYS * _SECONDS_PER_DAY
            content = {
                "title": title,
                "reward": {"type": "discount", "priceInfo": price},
                "acquisitionCondition": {"type": "normal"},
                "startTimestamp": int(created_at),
                "endTimestamp": int(now + days * _SECONDS_PER_DAY),
                "timezone": "ASIA_TOKYO",
                "visibility": "UNLISTED",
                "maxUseCountPerTicket": 1,
            }
            self._add(content, created_at).is_draft = is_draft

    def create(self, content: dict[str, Any]) -> Coupon:
        """Create a coupon.

        Raises:
            InvalidRequest: The limit of running coupons is reached.
        """
        now = self._clock.now()
        if sum(coupon.status(now) == "RUNNING" for coupon in self._coupons.values()) >= MAX_RUNNING_COUPONS:
            raise InvalidRequest.with_details(Problem(_NO_PROPERTY, "You have too many coupons created."))
        return self._add(content, now)

    def find(self, coupon_id: str) -> Coupon:
        """Return a coupon by its id.

        Raises:
            NotFound: There is no such coupon.
        """
        coupon = self._coupons.get(coupon_id)
        if coupon is None:
            raise NotFound("The request body has 1 error(s)", [Problem(_NO_PROPERTY, "coupon not found")])
        return coupon

    def close(self, coupon_id: str) -> None:
        """Close a coupon.

        Raises:
            Gone: The coupon is already closed.
            NotFound: There is no such coupon.
        """
        coupon = self.find(coupon_id)
        if coupon.status(self._clock.now()) == "CLOSED":
            problem = Problem(_NO_PROPERTY, "The coupon has already been closed.")
            raise Gone("The request body has 1 error(s)", [problem])
        coupon.is_closed = True

    def all(self, statuses: Collection[str]) -> list[Coupon]:
        """Return the coupons with one of the statuses, or all coupons if there are no statuses; newest first."""
        now = self._clock.now()
        found = [coupon for coupon in self._coupons.values() if not statuses or coupon.status(now) in statuses]
        return found[::-1]

    def _add(self, content: dict[str, Any], created_at: float) -> Coupon:
        price = content.get("reward", {}).get("priceInfo")
        if price and price["type"] in ("fixed", "explicit"):
            price["currency"] = "JPY"
        coupon_id = ulid(int(created_at * 1000), self._random.integer(len(self._coupons), 10))
        self._coupons[coupon_id] = Coupon(coupon_id, content, created_at)
        return self._coupons[coupon_id]
