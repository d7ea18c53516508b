"""Follow state of a LINE ID on one channel."""

from __future__ import annotations

from enum import StrEnum


class FollowState(StrEnum):
    """Known follow state of a person on a channel. LINE delivers messages only to followers."""

    FOLLOWING = "following"
    UNKNOWN = "unknown"
    UNFOLLOWED = "unfollowed"
