"""The whole platform, put together."""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.account.state import account_of, branches_of
from line_sandbox.audiences.state import Audiences
from line_sandbox.chats.inbound import Inbound
from line_sandbox.chats.read_tokens import ReadTokens
from line_sandbox.chats.state import Chats
from line_sandbox.contents.state import Contents
from line_sandbox.coupons.state import Coupons
from line_sandbox.foundation.clock import Clock
from line_sandbox.foundation.page_tokens import PageTokens
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.insight.demographics import Demographics
from line_sandbox.insight.history import History
from line_sandbox.insight.statistics import Statistics
from line_sandbox.memberships.state import Memberships
from line_sandbox.messages.counters import DailyCounters
from line_sandbox.messages.deliveries import DeliveryLog
from line_sandbox.messages.narrowcasts import Narrowcasts
from line_sandbox.messages.quota import Quota
from line_sandbox.messages.reply_tokens import ReplyTokens
from line_sandbox.messages.retry_keys import RetryKeys
from line_sandbox.messages.sending import Sending
from line_sandbox.messages.units import Units
from line_sandbox.rich_menus.state import RichMenus
from line_sandbox.tokens.assertions import AssertionKeys
from line_sandbox.tokens.state import Tokens
from line_sandbox.users.followers import Followers
from line_sandbox.users.state import Users
from line_sandbox.webhooks.settings import WebhookSettings


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """What kind of platform to play."""

    followers: int = 1000
    seed: int = 1
    quota: int | None = None
    """Messages a month; None for no limit."""
    verified: bool = True
    """Whether LINE has verified the account: others may not list their followers."""
    module_bots: int = 0
    """To how many accounts the channel is attached as a module channel; it is an ordinary channel with none."""
    access_token: str = "sandbox-token"  # noqa: S105 - opens nothing but a sandbox
    channel_id: str = "1234567890"
    channel_secret: str = "sandbox-secret"  # noqa: S105 - as above


class Platform:
    """One channel of one LINE Official Account, and everybody around it. As new: nothing has been sent."""

    def __init__(self, options: PlatformOptions) -> None:
        self.options = options
        seed = options.seed
        clock = self.clock = Clock()
        self.random = SeededRandom(seed, "figures")
        self.request_ids = SeededRandom(seed, "request ids")
        self.account = account_of(seed, verified=options.verified)
        self.module_bots = branches_of(seed, options.module_bots)
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
        self.reply_tokens = ReplyTokens(clock)

        users = self.users = Users(options.followers, seed)
        self.followers = Followers(users, self.page_tokens, verified=options.verified)
        self.demographics = Demographics(seed)
        self.history = History(users, clock, seed)
        self.chats = Chats(users, seed)
        self.contents = Contents(clock, seed)
        self.inbound = Inbound(
            users=users, chats=self.chats, contents=self.contents, reply_tokens=self.reply_tokens, clock=clock
        )

        self.quota = Quota(options.quota, clock)
        self.units = Units(clock)
        self.counters = DailyCounters()
        self.statistics = Statistics(seed, clock, self.request_ids)
        self.log = DeliveryLog()
        self.sending = Sending(
            users=users,
            chats=self.chats,
            log=self.log,
            keys=RetryKeys(),
            reply_tokens=self.reply_tokens,
            quota=self.quota,
            units=self.units,
            counters=self.counters,
            statistics=self.statistics,
            request_ids=self.request_ids,
            clock=clock,
        )
        self.audiences = Audiences(people=len(users), clock=clock, seed=seed)
        self.narrowcasts = Narrowcasts(
            users=users,
            audiences=self.audiences,
            demographics=self.demographics,
            sending=self.sending,
            quota=self.quota,
            request_ids=self.request_ids,
            clock=clock,
            seed=seed,
        )
        self.coupons = Coupons(clock, seed)
        self.memberships = Memberships(users, clock, seed)
        self.rich_menus = RichMenus(clock, seed)

    def request_id(self, number: int) -> str:
        """LINE's id for a request."""
        return self.request_ids.uuid(number)

    def deliver_due(self) -> None:
        """Let happen what is due by now."""
        self.narrowcasts.deliver_due()
