"""Generated webhook events, and the events that do not belong to a conversation.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_sandbox.memberships.state import PLANS

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_DAY_MILLISECONDS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class GeneratedEvent:
    """A webhook event without its id and delivery context."""

    timestamp: int
    """Milliseconds since 1970."""
    type: str
    fields: dict[str, Any]
    """The source, and the fields of the event type."""


def reply_token(rng: random.Random) -> dict[str, str]:
    """Return the field of events that accept a reply."""
    return {"replyToken": f"{rng.getrandbits(128):032x}"}


def _video_play_complete(_: int, rng: random.Random) -> dict[str, Any]:
    return {"videoPlayComplete": {"trackingId": f"track-{rng.randint(1, 999)}"}, **reply_token(rng)}


def _beacon(_: int, rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(("enter", "banner", "stay"))
    return {"beacon": {"hwid": f"{rng.getrandbits(40):010x}", "type": kind}, **reply_token(rng)}


def _account_link(_: int, rng: random.Random) -> dict[str, Any]:
    return {"link": {"result": "ok", "nonce": f"{rng.getrandbits(128):032x}"}, **reply_token(rng)}


def _membership(_: int, rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(("joined", "renewed", "left"))
    return {"membership": {"type": kind, "membershipId": rng.choice(PLANS).id}, **reply_token(rng)}


def _module(_: int, rng: random.Random) -> dict[str, Any]:
    return {"module": {"type": "attached", "botId": f"U{rng.getrandbits(128):032x}", "scopes": ["message:send"]}}


def _activated(timestamp: int, _: random.Random) -> dict[str, Any]:
    return {"chatControl": {"expireAt": timestamp + _DAY_MILLISECONDS}}


def _phone_number_delivery(_: int, rng: random.Random) -> dict[str, Any]:
    return {"delivery": {"data": f"{rng.getrandbits(256):064x}"}}


def _no_fields(_: int, __: random.Random) -> dict[str, Any]:
    return {}


def _unknown(_: int, rng: random.Random) -> dict[str, Any]:
    """Return fields for a type that LINE does not have; receivers must store it all the same."""
    return {"novelty": {"value": rng.randint(1, 9), "nested": [{"deep": True}]}}


_FIELDS: dict[str, Callable[[int, random.Random], dict[str, Any]]] = {
    "videoPlayComplete": _video_play_complete,
    "beacon": _beacon,
    "accountLink": _account_link,
    "membership": _membership,
    "module": _module,
    "activated": _activated,
    "deactivated": _no_fields,
    "botSuspended": _no_fields,
    "botResumed": _no_fields,
    "delivery": _phone_number_delivery,
}
_WITHOUT_SOURCE = frozenset({"module", "botSuspended", "botResumed", "delivery"})

USER_TYPES = ("follow", "message", "unsend", "postback", "unfollow")
"""Event types of a conversation with a user."""
CHAT_TYPES = ("join", "memberJoined", "message", "messageEdited", "memberLeft", "leave")
"""Event types of groups and rooms."""
DEFAULT_TYPES = (*USER_TYPES, *CHAT_TYPES, "videoPlayComplete", "beacon", "accountLink", "membership")
"""Event types that are generated if the request names none."""


def extra_event(event_type: str, timestamp: int, line_id: str, rng: random.Random) -> GeneratedEvent:
    """Return an event of a type outside `USER_TYPES` and `CHAT_TYPES`; LINE need not have the type.

    Args:
        event_type: The event type.
        timestamp: Milliseconds since 1970.
        line_id: The user in the source, for types with a source.
        rng: Random numbers for the fields.
    """
    fields = _FIELDS.get(event_type, _unknown)(timestamp, rng)
    source = {} if event_type in _WITHOUT_SOURCE else {"source": {"type": "user", "userId": line_id}}
    return GeneratedEvent(timestamp, event_type, source | fields)
