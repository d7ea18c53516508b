"""The tap's streams, in modules by what they tell about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_line.streams.account import BotInfo, Bots, MessageDeliveries, MessageQuota, WebhookEndpoint
from tap_line.streams.audience import Followers
from tap_line.streams.campaigns import (
    AggregationUnits,
    AggregationUnitUsage,
    MessageEventStatistics,
    NarrowcastProgress,
    UnitStatistics,
)
from tap_line.streams.chats import GroupMembers, Groups
from tap_line.streams.contents import MessageContents
from tap_line.streams.friendships import Friendships
from tap_line.streams.inbox import Events, Follows
from tap_line.streams.insight import InsightDemographics, InsightFollowers, InsightMessageDeliveries
from tap_line.streams.marketing import AudienceGroupJobs, AudienceGroups, Coupons, SharedAudienceGroups
from tap_line.streams.memberships import Memberships, MembershipUsers
from tap_line.streams.profiles import Profiles
from tap_line.streams.rich_menus import RichMenuAliases, RichMenus, RichMenuStatistics, UserRichMenus
from tap_line.streams.store import Deliveries, Identities, Merges, Rejects

if TYPE_CHECKING:
    from tap_line.stream import DescribedStream

STREAMS: tuple[type[DescribedStream], ...] = (
    # account
    BotInfo,
    Bots,
    MessageDeliveries,
    MessageQuota,
    WebhookEndpoint,
    # audience
    Followers,
    Friendships,
    Profiles,
    Groups,
    GroupMembers,
    Memberships,
    MembershipUsers,
    RichMenus,
    RichMenuAliases,
    UserRichMenus,
    AudienceGroups,
    AudienceGroupJobs,
    SharedAudienceGroups,
    Coupons,
    # insight
    InsightDemographics,
    InsightFollowers,
    InsightMessageDeliveries,
    RichMenuStatistics,
    # campaigns
    AggregationUnits,
    AggregationUnitUsage,
    MessageEventStatistics,
    NarrowcastProgress,
    UnitStatistics,
    # inbox
    Events,
    Follows,
    MessageContents,
    # store
    Deliveries,
    Identities,
    Merges,
    Rejects,
)
