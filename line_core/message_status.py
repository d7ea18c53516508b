"""Status of a message, and of a request that carries messages, in the ledger."""

from __future__ import annotations

from enum import StrEnum


class MessageStatus(StrEnum):
    """A message goes `scheduled → claimed → accepted | rejected | skipped | unknown`.

    A request begins as `claimed`; it is never `scheduled` or `skipped`.
    """

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    """Its request and retry key are stored; the request may have been sent."""
    ACCEPTED = "accepted"
    """LINE answered that it has accepted the request."""
    REJECTED = "rejected"
    """LINE, or a check before sending, refused it; the reason code says why."""
    SKIPPED = "skipped"
    """It must not be sent, for example because the person blocked the account."""
    UNKNOWN = "unknown"
    """Its retry key expired before LINE answered: it may or may not have been delivered."""
