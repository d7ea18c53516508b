"""What can happen that raises a webhook event, apart from people writing.

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
class Happening:
    """Something that happened."""

    at: int
    """Milliseconds since 1970."""
    type: str
    content: dict[str, Any]
    """The event's own fields, and its source."""


def reply_token(chance: random.Random) -> dict[str, str]:
    """The field of events that can be replied to."""
    return {"replyToken": f"{chance.getrandbits(128):032x}"}


def _video_watched(_: int, chance: random.Random) -> dict[str, Any]:
    return {"videoPlayComplete": {"trackingId": f"track-{chance.randint(1, 999)}"}, **reply_token(chance)}


def _beacon(_: int, chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(("enter", "banner", "stay"))
    return {"beacon": {"hwid": f"{chance.getrandbits(40):010x}", "type": kind}, **reply_token(chance)}


def _account_link(_: int, chance: random.Random) -> dict[str, Any]:
    return {"link": {"result": "ok", "nonce": f"{chance.getrandbits(128):032x}"}, **reply_token(chance)}


def _membership(_: int, chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(("joined", "renewed", "left"))
    return {"membership": {"type": kind, "membershipId": chance.choice(PLANS).number}, **reply_token(chance)}


def _module(_: int, chance: random.Random) -> dict[str, Any]:
    return {"module": {"type": "attached", "botId": f"U{chance.getrandbits(128):032x}", "scopes": ["message:send"]}}


def _activated(at: int, _: random.Random) -> dict[str, Any]:
    return {"chatControl": {"expireAt": at + _DAY_MILLISECONDS}}


def _phone_delivery(_: int, chance: random.Random) -> dict[str, Any]:
    return {"delivery": {"data": f"{chance.getrandbits(256):064x}"}}


def _nothing(_: int, __: random.Random) -> dict[str, Any]:
    return {}


def _unknown(_: int, chance: random.Random) -> dict[str, Any]:
    """A type that LINE may bring one day: receivers are to keep it."""
    return {"novelty": {"value": chance.randint(1, 9), "nested": [{"deep": True}]}}


_CONTENTS: dict[str, Callable[[int, random.Random], dict[str, Any]]] = {
    "videoPlayComplete": _video_watched,
    "beacon": _beacon,
    "accountLink": _account_link,
    "membership": _membership,
    "module": _module,
    "activated": _activated,
    "deactivated": _nothing,
    "botSuspended": _nothing,
    "botResumed": _nothing,
    "delivery": _phone_delivery,
}
_WITHOUT_SOURCE = frozenset({"module", "botSuspended", "botResumed", "delivery"})

WRITTEN = ("follow", "message", "unsend", "postback", "unfollow")
"""The types of events that people raise by following, writing and tapping."""
CHATTED = ("join", "memberJoined", "message", "messageEdited", "memberLeft", "leave")
"""The types of events that come from groups and rooms."""
USUAL = (*WRITTEN, *CHATTED, "videoPlayComplete", "beacon", "accountLink", "membership")
"""The types of events that a usual account sees."""


def happening(kind: str, at: int, line_id: str, chance: random.Random) -> Happening:
    """One thing of a type that is neither written nor chatted; LINE need not have that type.

    Args:
        kind: The type.
        at: Milliseconds since 1970.
        line_id: To whom it happens, where it happens to somebody.
        chance: Draws the details.
    """
    content = _CONTENTS.get(kind, _unknown)(at, chance)
    source = {} if kind in _WITHOUT_SOURCE else {"source": {"type": "user", "userId": line_id}}
    return Happening(at, kind, source | content)
