"""Follow state of a LINE ID on one channel."""

from __future__ import annotations

from enum import StrEnum


class FollowState(StrEnum):
    """Whether a person follows a channel, as far as is known. LINE delivers only to followers."""

    FOLLOWING = "following"
    UNKNOWN = "unknown"
    UNFOLLOWED = "unfollowed"
