"""The record of what was delivered to whom: exact, in order, and compact enough for millions."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from line_sandbox.users.user_set import Crowd, union

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTENT = msgspec.json.Decoder(tuple[list[dict[str, Any]], list[str], bool])
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted request to send."""

    number: int
    """Its place in the log."""
    endpoint: str
    request_number: int
    retry_key: UUID | None
    messages: list[dict[str, Any]]
    units: list[str]
    notification_disabled: bool
    at: float
    """Seconds since 1970."""


class DeliveryLog:
    """Every accepted request, and every chat that each was delivered to.

    A chat is a number: 0 and more for people, as in `Users`; below 0 for groups and rooms.
    """

    def __init__(self) -> None:
        self._endpoints: list[str] = []
        self._endpoint = array("B")
        self._request_number = array("Q")
        self._at = array("d")
        self._has_key = bytearray()
        self._retry_keys = bytearray()
        self._contents = bytearray()
        self._content_end = array("Q")
        self._delivery_end = array("Q")
        self._chats = array("q")
        self._chats_end = array("Q")
        self._crowds: dict[int, Crowd] = {}
        self._reached_singly: set[int] = set()
        self._reached_by_crowds: Crowd | None = None

    def accept(  # noqa: PLR0913 - the parts of one record, all by name
        self,
        *,
        endpoint: str,
        request_number: int,
        retry_key: UUID | None,
        messages: Sequence[dict[str, Any]],
        units: Sequence[str],
        notification_disabled: bool,
        at: float,
        chats: Sequence[int],
    ) -> int:
        """Record a request and its deliveries; returns its place in the log."""
        number = len(self._at)
        if endpoint not in self._endpoints:
            self._endpoints.append(endpoint)
        self._endpoint.append(self._endpoints.index(endpoint))
        self._request_number.append(request_number)
        self._at.append(at)
        self._has_key.append(retry_key is not None)
        self._retry_keys += retry_key.bytes if retry_key else bytes(_KEY_BYTES)
        self._contents += msgspec.json.encode((messages, units, notification_disabled))
        self._content_end.append(len(self._contents))
        self._delivery_end.append(self.delivered + len(chats))
        if isinstance(chats, Crowd):
            self._crowds[number] = chats
            self._reached_by_crowds = union(self._reached_by_crowds, chats) if self._reached_by_crowds else chats
        else:
            self._chats.extend(chats)
            self._reached_singly.update(chats)
        self._chats_end.append(len(self._chats))
        return number

    @property
    def accepted(self) -> int:
        """How many requests were accepted."""
        return len(self._at)

    @property
    def delivered(self) -> int:
        """How many deliveries there were: one for each request and chat."""
        return self._delivery_end[-1] if self._delivery_end else 0

    @property
    def reached(self) -> int:
        """How many different chats got anything."""
        crowd = self._reached_by_crowds
        if crowd is None:
            return len(self._reached_singly)
        return len(crowd) + sum(1 for chat in self._reached_singly if chat not in crowd)

    def request(self, number: int) -> Accepted:
        """One accepted request."""
        key = bytes(self._retry_keys[number * _KEY_BYTES : (number + 1) * _KEY_BYTES])
        content = self._contents[self._start(self._content_end, number) : self._content_end[number]]
        return Accepted(
            number,
            self._endpoints[self._endpoint[number]],
            self._request_number[number],
            UUID(bytes=key) if self._has_key[number] else None,
            *_CONTENT.decode(content),
            self._at[number],
        )

    def chats(self, number: int) -> Sequence[int]:
        """Whom a request was delivered to."""
        crowd = self._crowds.get(number)
        if crowd is not None:
            return crowd
        return self._chats[self._start(self._chats_end, number) : self._chats_end[number]]

    def deliveries(self, offset: int, limit: int) -> Iterator[tuple[Accepted, int]]:
        """Deliveries in order, each with its request and chat."""
        number = bisect_right(self._delivery_end, offset)
        left = limit
        while left > 0 and number < self.accepted:
            first = self._start(self._delivery_end, number)
            skip = max(0, offset - first)
            chats = self.chats(number)[skip : skip + left]
            request = self.request(number)
            yield from ((request, chat) for chat in chats)
            left -= len(chats)
            number += 1

    @staticmethod
    def _start(ends: array[int], number: int) -> int:
        return ends[number - 1] if number else 0
