"""The messages of an approved plan, as digests: a run with `approve` sends these and no others."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_line.sending.decide.decisions import Send


class ApprovedSends:
    """Message ids with recipient and content. 8 bytes per message, so a plan of millions fits into memory."""

    def __init__(self) -> None:
        self._digests: array[int] = array("Q")
        self._is_sorted = True

    def add(self, message_id: str, send: Send) -> None:
        self._digests.append(_digest(message_id, send))
        self._is_sorted = False

    def contains(self, message_id: str, send: Send) -> bool:
        """Return whether the message was added with the same recipient and content."""
        if not self._is_sorted:
            self._digests = array("Q", sorted(self._digests))
            self._is_sorted = True
        digest = _digest(message_id, send)
        place = bisect_left(self._digests, digest)
        return place < len(self._digests) and self._digests[place] == digest


def _digest(message_id: str, send: Send) -> int:
    text = repr((message_id, send.to, send.content)).encode(errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest())
