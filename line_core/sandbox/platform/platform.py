"""The whole platform, put together."""

from __future__ import annotations

from dataclasses import dataclass

from line_core.sandbox.platform.accounts import account_of
from line_core.sandbox.platform.chance import Chance
from line_core.sandbox.platform.clock import Clock
from line_core.sandbox.platform.deliveries import DeliveryLog
from line_core.sandbox.platform.followers import Followers
from line_core.sandbox.platform.paging import PageTokens
from line_core.sandbox.platform.quota import Quota
from line_core.sandbox.platform.rate_limits import RateLimits
from line_core.sandbox.platform.retry_keys import RetryKeys
from line_core.sandbox.platform.sending import Sending
from line_core.sandbox.platform.tokens import Tokens
from line_core.sandbox.platform.units import Units
from line_core.sandbox.platform.users import Users


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """What kind of platform to play."""

    followers: int = 1000
    seed: int = 1
    quota: int | None = None
    """Messages a month; None for no limit."""
    verified: bool = True
    """Whether LINE has verified the account: others may not list their followers."""
    access_token: str = "sandbox-token"  # noqa: S105 - opens nothing but a sandbox
    channel_id: str = "1234567890"
    channel_secret: str = "sandbox-secret"  # noqa: S105 - as above


class Platform:
    """One channel of one LINE Official Account, and everybody around it. As new: nothing has been sent."""

    def __init__(self, options: PlatformOptions) -> None:
        self.options = options
        seed = options.seed
        self.clock = Clock()
        self.request_ids = Chance(seed, "request ids")
        self.users = Users(options.followers, seed)
        self.account = account_of(seed, verified=options.verified)
        self.page_tokens = PageTokens(self.clock, seed)
        self.followers = Followers(self.users, self.page_tokens, verified=options.verified)
        self.tokens = Tokens(
            channel_id=options.channel_id,
            channel_secret=options.channel_secret,
            long_lived=options.access_token,
            clock=self.clock,
            seed=seed,
        )
        self.rate_limits = RateLimits(self.clock)
        self.quota = Quota(options.quota, self.clock)
        self.units = Units(self.clock)
        self.retry_keys = RetryKeys()
        self.log = DeliveryLog()
        self.sending = Sending(
            users=self.users,
            log=self.log,
            keys=self.retry_keys,
            quota=self.quota,
            units=self.units,
            clock=self.clock,
        )

    def request_id(self, number: int) -> str:
        """LINE's id for a request."""
        return self.request_ids.uuid(number)
