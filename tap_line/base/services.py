"""The services that a stream uses from its tap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from line_core.api.rate_limit.limiter import RateLimiter
    from line_core.api.tokens import TokenSource
    from line_core.store import Store
    from tap_line.follow_evidence.evidence_store import FollowEvidenceStore
    from tap_line.message_writer import BufferedMessageWriter


class StreamServices(Protocol):
    """Services that all streams of one run share. Each one is created when a stream first uses it.

    `TapLine` implements this protocol. Streams depend on the protocol, so that they do not import the tap.
    """

    @property
    def tokens(self) -> TokenSource:
        """Source of channel access tokens."""

    @property
    def rate_limiter(self) -> RateLimiter:
        """Rate limiter of the channel, shared with other processes that use the same store."""

    @property
    def store(self) -> Store:
        """The open store."""

    @property
    def channel(self) -> str:
        """Name of the channel in the store."""

    @property
    def follow_evidence(self) -> FollowEvidenceStore:
        """Follow evidence of the channel."""

    @property
    def message_writer(self) -> BufferedMessageWriter:
        """Writer of Singer messages."""
