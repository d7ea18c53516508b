"""Tokens for the next page: opaque, nobody else's, good for 24 hours.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend".
"""

from __future__ import annotations

import base64
import binascii
import struct
from hashlib import blake2b
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

LIFE_SECONDS = 24 * 3600

_FORMAT = struct.Struct(">QId")
_SIGNATURE_BYTES = 12


class PageTokens:
    """Tokens that hold a place in a list; nothing is stored."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._key = blake2b(f"{seed}:paging".encode(), digest_size=32).digest()

    def issue(self, listing: str, place: int, page: int) -> str:
        """A token for a place in a list.

        Args:
            listing: Which list; a token is good for that one alone.
            place: Where the page begins.
            page: How many pages came before.
        """
        content = _FORMAT.pack(place, page, self._clock.now())
        return base64.urlsafe_b64encode(content + self._signature(listing, content)).decode()

    def start(self, listing: str, token: str | None) -> tuple[int, int]:
        """The place that a token holds, and how many pages came before it; the beginning without a token.

        Raises:
            InvalidRequest: It is none of ours, or has ended.
        """
        if token is None:
            return 0, 0
        place = self._read(listing, token)
        if place is None:
            raise InvalidRequest.page_token()
        return place

    def _read(self, listing: str, token: str) -> tuple[int, int] | None:
        try:
            raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        content, signature = raw[: _FORMAT.size], raw[_FORMAT.size :]
        if len(content) != _FORMAT.size or signature != self._signature(listing, content):
            return None
        place, page, issued_at = _FORMAT.unpack(content)
        return (place, page) if self._clock.now() < issued_at + LIFE_SECONDS else None

    def _signature(self, listing: str, content: bytes) -> bytes:
        return blake2b(listing.encode() + content, key=self._key, digest_size=_SIGNATURE_BYTES).digest()
