"""Bodies of send requests, as structured parts, and their only encoding to JSON.

Equal parts are always encoded to equal bytes: a request is sent again byte for byte, and the hash of an approved plan
covers the bodies. Do not change the encoding or its order of members.

Source: LINE Messaging API reference, "Send push message", "Send multicast message", "Send narrowcast message", "Send
broadcast message".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from target_line.sending.decide.content import MessageContent

if TYPE_CHECKING:
    from collections.abc import Mapping

_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class SendMethod(StrEnum):
    """Endpoint that sends messages, as in `POST /v2/bot/message/{method}`."""

    PUSH = "push"
    MULTICAST = "multicast"
    NARROWCAST = "narrowcast"
    BROADCAST = "broadcast"

    @property
    def path(self) -> str:
        """Path of the endpoint."""
        return f"/v2/bot/message/{self}"

    @property
    def validation_path(self) -> str:
        """Path of the endpoint that validates messages without sending them."""
        return f"/v2/bot/message/validate/{self}"


class RecipientKind(StrEnum):
    """Kind of the recipients of a request, as stored in the ledger."""

    USER = "user"
    """One or more LINE IDs."""
    GROUP = "group"
    ROOM = "room"
    """A multi-person chat."""
    FOLLOWERS = "followers"
    """All followers: a broadcast."""
    SELECTION = "selection"
    """Followers that LINE selects: a narrowcast."""


def chat_kind(chat_id: str) -> RecipientKind:
    """Return the kind of a chat. Group ids begin with C, ids of multi-person chats with R."""
    return RecipientKind.ROOM if chat_id.startswith("R") else RecipientKind.GROUP


@dataclass(frozen=True, slots=True)
class RequestBody:
    """Body of a push, multicast, narrowcast or broadcast request."""

    content: MessageContent
    to: str | tuple[str, ...] | None = None
    """LINE ID or chat id of a push, LINE IDs of a multicast."""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """Members `recipient`, `filter` and `limit` of a narrowcast."""

    def encode(self) -> str:
        """Return the body as JSON text: recipients, messages, options, in this order and without spaces."""
        members = [] if self.to is None else [f'"to":{_to_json(self.to)}']
        members += (f'"{name}":{_to_json(value)}' for name, value in self.conditions.items())
        members.append(f'"messages":{self.content.messages}')
        if self.content.notification_disabled:
            members.append('"notificationDisabled":true')
        if self.content.aggregation_unit:
            members.append(f'"customAggregationUnits":{_to_json([self.content.aggregation_unit])}')
        return f"{{{','.join(members)}}}"

    @classmethod
    def decode(cls, text: str) -> RequestBody:
        """Return the parts of a body that `encode` has written."""
        members = json.loads(text)
        to = members.pop("to", None)
        units = members.pop("customAggregationUnits", None)
        content = MessageContent(
            messages=_to_json(members.pop("messages")),
            notification_disabled=members.pop("notificationDisabled", False),
            aggregation_unit=units[0] if units else None,
        )
        return cls(content, tuple(to) if isinstance(to, list) else to, members)
