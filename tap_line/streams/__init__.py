"""The tap's streams, in modules by what they tell about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_line.streams.account.bots import BotInfo, Bots, MessageDeliveries, MessageQuota, WebhookEndpoint
from tap_line.streams.inbox.events import Events, Follows
from tap_line.streams.inbox.message_contents import MessageContents
from tap_line.streams.marketing.audience_groups import AudienceGroupJobs, AudienceGroups, Coupons, SharedAudienceGroups
from tap_line.streams.marketing.rich_menus import RichMenuAliases, RichMenus, RichMenuStatistics, UserRichMenus
from tap_line.streams.people.followers import Followers
from tap_line.streams.people.friendships import Friendships
from tap_line.streams.people.groups import GroupMembers, Groups
from tap_line.streams.people.memberships import Memberships, MembershipUsers
from tap_line.streams.people.profiles import Profiles
from tap_line.streams.statistics.insight import InsightDemographics, InsightFollowers, InsightMessageDeliveries
from tap_line.streams.statistics.message_event_statistics import (
    AggregationUnits,
    AggregationUnitUsage,
    MessageEventStatistics,
    NarrowcastProgress,
    UnitStatistics,
)
from tap_line.streams.store.deliveries import Deliveries, Identities, Merges, Rejects

if TYPE_CHECKING:
    from tap_line.base.described_stream import DescribedStream

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
