"""The property `sentMessages` in responses to pushes and replies.

Source: LINE Messaging API reference, "Send push message", "Send reply message".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.messages.send_request import MAX_MESSAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.seeded_random import SeededRandom

_FIRST_MESSAGE_ID = 461230966842064897
_QUOTABLE_TYPES = frozenset({"text", "textV2", "sticker", "image", "video", "template", "flex"})


class SentMessages:
    """Computes ids and quote tokens from the request number; repeated calls return the same values."""

    def __init__(self, request_ids: SeededRandom) -> None:
        self._request_ids = request_ids

    def describe(self, request_number: int, message_types: Sequence[str]) -> list[dict[str, str]]:
        """Return the id of each message of a request, and the quote token if the type can be quoted."""
        return [self._describe(request_number, index, kind) for index, kind in enumerate(message_types)]

    def _describe(self, request_number: int, index: int, message_type: str) -> dict[str, str]:
        number = request_number * MAX_MESSAGES + index
        sent = {"id": str(_FIRST_MESSAGE_ID + number)}
        if message_type in _QUOTABLE_TYPES:
            sent["quoteToken"] = f"{self._request_ids.integer(2**64 + number, 32):064x}"
        return sent
