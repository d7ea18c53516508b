"""All streams of the tap, in packages by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_line.streams.account.bots import BotInfo, Bots
from tap_line.streams.account.message_quota import MessageQuota
from tap_line.streams.account.webhook_endpoint import WebhookEndpoint
from tap_line.streams.inbox.events import Events, Follows
from tap_line.streams.inbox.message_contents import MessageContents
from tap_line.streams.marketing.audience_groups import AudienceGroupJobs, AudienceGroups, SharedAudienceGroups
from tap_line.streams.marketing.coupons import Coupons
from tap_line.streams.marketing.rich_menus import RichMenuAliases, RichMenus, UserRichMenus
from tap_line.streams.people.followers import Followers
from tap_line.streams.people.friendships import Friendships
from tap_line.streams.people.groups import GroupMembers, Groups
from tap_line.streams.people.memberships import Memberships, MembershipUsers
from tap_line.streams.people.profiles import Profiles
from tap_line.streams.statistics.aggregation_units import AggregationUnits, AggregationUnitUsage, UnitStatistics
from tap_line.streams.statistics.insight import InsightDemographics, InsightFollowers, InsightMessageDeliveries
from tap_line.streams.statistics.message_deliveries import MessageDeliveries
from tap_line.streams.statistics.message_event_statistics import MessageEventStatistics
from tap_line.streams.statistics.narrowcast_progress import NarrowcastProgress
from tap_line.streams.statistics.rich_menu_statistics import RichMenuStatistics
from tap_line.streams.store.deliveries import Deliveries
from tap_line.streams.store.identities import Identities
from tap_line.streams.store.merges import Merges
from tap_line.streams.store.rejects import Rejects

if TYPE_CHECKING:
    from tap_line.base.described_stream import DescribedStream

STREAMS: tuple[type[DescribedStream], ...] = (
    # account
    BotInfo,
    Bots,
    MessageQuota,
    WebhookEndpoint,
    # people
    Followers,
    Friendships,
    Profiles,
    Groups,
    GroupMembers,
    Memberships,
    MembershipUsers,
    # marketing
    RichMenus,
    RichMenuAliases,
    UserRichMenus,
    AudienceGroups,
    AudienceGroupJobs,
    SharedAudienceGroups,
    Coupons,
    # statistics
    MessageDeliveries,
    InsightDemographics,
    InsightFollowers,
    InsightMessageDeliveries,
    RichMenuStatistics,
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
