"""The channel's webhook settings."""

from __future__ import annotations

from dataclasses import dataclass

from line_sandbox.webhooks.sender import WebhookTarget


@dataclass(slots=True)
class WebhookSettings:
    """The webhook endpoint, channel secret and bot id for webhook requests."""

    channel_secret: str
    bot_user_id: str
    endpoint: str | None = None
    """The URL; None until a request sets it."""

    def target(self, url: str) -> WebhookTarget:
        """Return the target for requests of this channel to `url`."""
        return WebhookTarget(url, self.channel_secret, self.bot_user_id)
