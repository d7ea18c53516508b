"""The tap's streams, in modules by what they tell about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_line.streams.account import BotInfo, MessageQuota
from tap_line.streams.audience import Followers
from tap_line.streams.friendships import Friendships
from tap_line.streams.inbox import Events, Follows
from tap_line.streams.profiles import Profiles
from tap_line.streams.store import Deliveries, Merges, Rejects

if TYPE_CHECKING:
    from tap_line.stream import DescribedStream

STREAMS: tuple[type[DescribedStream], ...] = (
    BotInfo,
    MessageQuota,
    Followers,
    Friendships,
    Profiles,
    Events,
    Follows,
    # store
    Deliveries,
    Merges,
    Rejects,
)
