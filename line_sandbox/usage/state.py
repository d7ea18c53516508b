"""Usage of the Messaging API by the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_sandbox.usage.delivery_counts import DeliveryCounts
    from line_sandbox.usage.monthly_quota import MonthlyQuota
    from line_sandbox.usage.unit_names import UnitNames


@dataclass(frozen=True, slots=True)
class Usage:
    """The counters that every delivery updates."""

    quota: MonthlyQuota
    units: UnitNames
    counts: DeliveryCounts
