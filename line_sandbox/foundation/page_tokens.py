"""Tokens for the next page of a listing: opaque, signed, valid for 24 hours.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend".
"""

from __future__ import annotations

import base64
import binascii
import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock

T = TypeVar("T")

LIFETIME_SECONDS = 24 * 3600

_FORMAT = struct.Struct(">QId")
_SIGNATURE_BYTES = 12


class PageTokens:
    """Issues and reads page tokens. A token contains the position, so nothing is stored."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._key = blake2b(f"{seed}:paging".encode(), digest_size=32).digest()

    def issue(self, listing: str, position: int, page: int) -> str:
        """Return a token for a position in a listing.

        Args:
            listing: The name of the listing; the token is valid for this listing only.
            position: The position at which the page begins.
            page: The number of pages before it.
        """
        content = _FORMAT.pack(position, page, self._clock.now())
        return base64.urlsafe_b64encode(content + self._signature(listing, content)).decode()

    def read(self, listing: str, token: str | None) -> tuple[int, int]:
        """Return the position in a token and the number of pages before it; (0, 0) without a token.

        Raises:
            InvalidRequest: The token is invalid, expired, or from another listing.
        """
        if token is None:
            return 0, 0
        position = self._decode(listing, token)
        if position is None:
            raise InvalidRequest.for_page_token()
        return position

    def paginate(
        self, listing: str, items: Sequence[T], limit: int, token: str | None
    ) -> tuple[Sequence[T], dict[str, str]]:
        """Return one page of a list.

        Args:
            listing: The name of the listing.
            items: The complete list.
            limit: Maximum number of items in the page.
            token: Token from the previous page; None for the first page.

        Returns:
            The items, and the response's property `next`; it is missing on the last page.

        Raises:
            InvalidRequest: The token is invalid, expired, or from another listing.
        """
        first, page = self.read(listing, token)
        end = first + limit
        return items[first:end], {"next": self.issue(listing, end, page + 1)} if end < len(items) else {}

    def _decode(self, listing: str, token: str) -> tuple[int, int] | None:
        try:
            raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        content, signature = raw[: _FORMAT.size], raw[_FORMAT.size :]
        if len(content) != _FORMAT.size or signature != self._signature(listing, content):
            return None
        position, page, issued_at = _FORMAT.unpack(content)
        return (position, page) if self._clock.now() < issued_at + LIFETIME_SECONDS else None

    def _signature(self, listing: str, content: bytes) -> bytes:
        return blake2b(listing.encode() + content, key=self._key, digest_size=_SIGNATURE_BYTES).digest()
