"""A log of accepted requests and their deliveries: complete, ordered, and compact enough for millions of deliveries."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from line_sandbox.users.user_set import UserSet, union

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from line_sandbox.messages.send_request import SendRequest

_CONTENT = msgspec.json.Decoder(tuple[list[dict[str, Any]], list[str], bool])
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """An accepted send request."""

    endpoint: str
    request_number: int
    retry_key: UUID | None
    messages: list[dict[str, Any]]
    units: list[str]
    """Custom aggregation units that LINE did not ignore."""
    notification_disabled: bool
    delivered_at: float
    """Seconds since 1970."""


class DeliveryLog:
    """All accepted requests, and the chats that received each.

    A chat number of 0 or more is a user, as in `Users`; a negative one is a group or room, as in `Chats`.
    Requests are stored in columns. `*_end` columns hold the end offset of each request's part of another column.
    """

    def __init__(self) -> None:
        self._endpoints: list[str] = []
        self._endpoint_ids = array("B")
        self._request_numbers = array("Q")
        self._delivered_at = array("d")
        self._has_key = bytearray()
        self._retry_keys = bytearray()
        self._contents = bytearray()
        self._content_end = array("Q")
        self._delivery_end = array("Q")
        self._chats = array("q")
        self._chats_end = array("Q")
        self._user_sets: dict[int, UserSet] = {}
        self._chats_reached: set[int] = set()
        self._users_reached_by_sets: UserSet | None = None

    def add(self, request: SendRequest, chats: Sequence[int], units: Sequence[str], delivered_at: float) -> None:
        """Append a request and its deliveries.

        Args:
            request: The accepted request.
            chats: Numbers of the chats that received its messages.
            units: The request's aggregation units that LINE did not ignore.
            delivered_at: Seconds since 1970.
        """
        index = len(self._delivered_at)
        if request.endpoint not in self._endpoints:
            self._endpoints.append(request.endpoint)
        self._endpoint_ids.append(self._endpoints.index(request.endpoint))
        self._request_numbers.append(request.number)
        self._delivered_at.append(delivered_at)
        self._has_key.append(request.retry_key is not None)
        self._retry_keys += request.retry_key.bytes if request.retry_key else bytes(_KEY_BYTES)
        self._contents += msgspec.json.encode((request.messages, units, request.notification_disabled))
        self._content_end.append(len(self._contents))
        self._delivery_end.append(self.delivery_count + len(chats))
        if isinstance(chats, UserSet):
            self._user_sets[index] = chats
            reached = self._users_reached_by_sets
            self._users_reached_by_sets = union(reached, chats) if reached else chats
        else:
            self._chats.extend(chats)
            self._chats_reached.update(chats)
        self._chats_end.append(len(self._chats))

    @property
    def request_count(self) -> int:
        """Number of accepted requests."""
        return len(self._delivered_at)

    @property
    def delivery_count(self) -> int:
        """Number of deliveries: one per request and chat."""
        return self._delivery_end[-1] if self._delivery_end else 0

    @property
    def recipient_count(self) -> int:
        """Number of distinct chats that received a message."""
        users = self._users_reached_by_sets
        if users is None:
            return len(self._chats_reached)
        return len(users) + sum(1 for chat in self._chats_reached if chat not in users)

    def request(self, index: int) -> LoggedRequest:
        """Return the request at an index of the log."""
        key = bytes(self._retry_keys[index * _KEY_BYTES : (index + 1) * _KEY_BYTES])
        content = self._contents[_start(self._content_end, index) : self._content_end[index]]
        return LoggedRequest(
            self._endpoints[self._endpoint_ids[index]],
            self._request_numbers[index],
            UUID(bytes=key) if self._has_key[index] else None,
            *_CONTENT.decode(content),
            self._delivered_at[index],
        )

    def chats(self, index: int) -> Sequence[int]:
        """Return the chats that received the request at an index."""
        users = self._user_sets.get(index)
        if users is not None:
            return users
        return self._chats[_start(self._chats_end, index) : self._chats_end[index]]

    def deliveries(self, offset: int, limit: int) -> Iterator[tuple[LoggedRequest, int]]:
        """Yield up to `limit` deliveries from `offset` on, in order: the request and the chat."""
        index = bisect_right(self._delivery_end, offset)
        remaining = limit
        while remaining > 0 and index < self.request_count:
            skip = max(0, offset - _start(self._delivery_end, index))
            chats = self.chats(index)[skip : skip + remaining]
            request = self.request(index)
            yield from ((request, chat) for chat in chats)
            remaining -= len(chats)
            index += 1


def _start(ends: array[int], index: int) -> int:
    return ends[index - 1] if index else 0
