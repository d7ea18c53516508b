"""Status of a message, and of a request that carries messages, in the ledger."""

from __future__ import annotations

from enum import StrEnum


class MessageStatus(StrEnum):
    """Status of a message: `scheduled → claimed → accepted | rejected | skipped | unknown`.

    A request starts as `claimed` and is never `scheduled` or `skipped`.
    """

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    """The request and its retry key are stored; the request may have been sent."""
    ACCEPTED = "accepted"
    """LINE accepted the request."""
    REJECTED = "rejected"
    """LINE or a check before sending rejected the message; the reason code gives the cause."""
    SKIPPED = "skipped"
    """The message must not be sent, for example because the person blocked the account."""
    UNKNOWN = "unknown"
    """The retry key expired before LINE responded; the message may have been delivered."""
