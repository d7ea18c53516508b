"""A request to send messages, after validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from line_sandbox.usage.delivery_counts import SendMethod

MAX_MESSAGES = 5
"""Maximum number of message objects in a request."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A push, multicast, narrowcast, broadcast or reply."""

    endpoint: str
    method: SendMethod
    number: int
    """Sequence number of the HTTP request; LINE's request id is derived from it."""
    retry_key: UUID | None
    messages: Sequence[dict[str, Any]]
    notification_disabled: bool = False
    units: Sequence[str] = ()
    """Custom aggregation units."""

    @property
    def message_types(self) -> tuple[str, ...]:
        """The type of each message."""
        return tuple(message["type"] for message in self.messages)
