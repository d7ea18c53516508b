"""The simulated platform: creates the state of every subject."""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.account.state import create_account, create_module_bots
from line_sandbox.audiences.state import AudienceStore
from line_sandbox.chats.read_tokens import ReadTokens
from line_sandbox.chats.state import Chats
from line_sandbox.contents.state import Contents
from line_sandbox.coupons.state import CouponStore
from line_sandbox.foundation.clock import Clock
from line_sandbox.foundation.page_tokens import PageTokens
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.insight.message_statistics import MessageStatistics
from line_sandbox.memberships.state import MembershipPlans
from line_sandbox.messages.incoming_events import IncomingEvents
from line_sandbox.messages.state import Messaging
from line_sandbox.narrowcasts.recipient_selection import RecipientSelector
from line_sandbox.narrowcasts.state import Narrowcasts
from line_sandbox.notifications.sender import NotificationSender
from line_sandbox.rich_menus.state import RichMenuStore
from line_sandbox.tokens.assertions import AssertionKeys
from line_sandbox.tokens.state import Tokens
from line_sandbox.usage.delivery_counts import DeliveryCounts
from line_sandbox.usage.monthly_quota import MonthlyQuota
from line_sandbox.usage.state import Usage
from line_sandbox.usage.unit_names import UnitNames
from line_sandbox.users.demographics import DemographicsEstimator
from line_sandbox.users.follower_history import FollowerHistory
from line_sandbox.users.follower_listing import FollowerListing
from line_sandbox.users.state import Users
from line_sandbox.webhooks.settings import WebhookSettings


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """Options of the platform."""

    followers: int
    seed: int
    quota: int | None
    """Monthly message quota; None for no limit."""
    verified: bool
    """Whether LINE has verified the account. Only verified accounts may list their followers."""
    notification_messages: bool
    """Whether the account has a contract for LINE notification messages, which are sent to phone numbers."""
    module_bots: int
    """Number of accounts that the channel is attached to as a module channel; 0 for an ordinary channel."""
    multicast_rejects_unknown_ids: bool
    """Whether a multicast with an ID that the channel does not know is rejected. LINE's reference has both behaviours:
    the ID is ignored, and the request is rejected."""
    access_token: str
    """The channel's long-lived access token."""
    channel_id: str
    channel_secret: str


class Platform:
    """The state of one channel of one LINE Official Account, its users, chats and messages."""

    def __init__(self, options: PlatformOptions) -> None:
        self.options = options
        seed = options.seed
        clock = self.clock = Clock()
        self.random = SeededRandom(seed, "figures")
        self.request_ids = SeededRandom(seed, "request ids")
        self.account = create_account(seed, verified=options.verified)
        self.module_bots = create_module_bots(seed, options.module_bots)
        self.webhook_settings = WebhookSettings(options.channel_secret, self.account.user_id)

        self.tokens = Tokens(
            channel_id=options.channel_id,
            channel_secret=options.channel_secret,
            long_lived=options.access_token,
            clock=clock,
            seed=seed,
        )
        self.assertion_keys = AssertionKeys(options.channel_id, clock)
        self.page_tokens = PageTokens(clock, seed)
        self.read_tokens = ReadTokens(seed)

        users = self.users = Users(options.followers, seed, self.account.user_id if options.module_bots else None)
        self.followers = FollowerListing(users, self.page_tokens, verified=options.verified)
        self.demographics = DemographicsEstimator(seed)
        self.follower_history = FollowerHistory(users, clock)
        self.chats = Chats(users, seed)
        self.contents = Contents(clock, seed)

        quota = MonthlyQuota(options.quota, clock)
        self.usage = Usage(quota, UnitNames(clock), DeliveryCounts(self.follower_history, clock, seed))
        self.statistics = MessageStatistics(seed, clock)
        self.messaging = Messaging(
            users=users,
            chats=self.chats,
            usage=self.usage,
            statistics=self.statistics,
            request_ids=self.request_ids,
            clock=clock,
            multicast_rejects_unknown_ids=options.multicast_rejects_unknown_ids,
        )
        self.incoming_events = IncomingEvents(
            users=users,
            chats=self.chats,
            contents=self.contents,
            reply_tokens=self.messaging.reply_tokens,
            clock=clock,
        )
        self.audiences = AudienceStore(user_count=len(users), clock=clock, seed=seed)
        self.narrowcasts = Narrowcasts(
            selector=RecipientSelector(users, self.audiences, self.demographics, seed),
            retry_keys=self.messaging.retry_keys,
            quota=quota,
            deliveries=self.messaging.deliveries,
            request_ids=self.request_ids,
            clock=clock,
        )
        self.notifications = NotificationSender(users, self.messaging.deliveries, clock)
        self.coupons = CouponStore(clock, seed)
        self.memberships = MembershipPlans(users, clock, seed)
        self.rich_menus = RichMenuStore(clock, seed)

    def request_id(self, number: int) -> str:
        """Return LINE's id for the request with this sequence number."""
        return self.request_ids.uuid(number)

    def deliver_due(self) -> None:
        """Deliver the narrowcasts that are due now."""
        self.narrowcasts.deliver_due()
