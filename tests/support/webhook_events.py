"""Webhook bodies: an event of each documented type, and generated bodies with unusual events."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from hypothesis import strategies as st

SECRET = "the-channel-secret"
LINE_ID = "U" + "1" * 32
OTHER_LINE_ID = "U" + "2" * 32
GROUP_ID = "C" + "3" * 32
BOT = "U" + "0" * 32


def signature(body: bytes, secret: str = SECRET) -> str:
    """Return the value of `x-line-signature`."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def body_of(*events: dict[str, Any], **envelope: Any) -> bytes:
    """Return a request body with these events."""
    return json.dumps({"destination": BOT, "events": events, **envelope}).encode()


def event(number: int, kind: str = "follow", /, **members: Any) -> dict[str, Any]:
    """Return an event with its own event ID, time and LINE ID, all derived from `number`."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": 1_700_000_000_000 + number,
        "webhookEventId": f"01H810YECX{number:016d}",
        "deliveryContext": {"isRedelivery": False},
        "source": {"type": "user", "userId": f"U{number:032x}"},
        **members,
    }


def text(number: int, message_id: str, content: str = "hello", *, kind: str = "message") -> dict[str, Any]:
    """Return a text message event, or its edit with `kind="messageEdited"`."""
    message = {"type": "text", "id": message_id, "text": content, "quoteToken": "q3Plxr4AgKd"}
    return event(number, kind, message=message)


def unsend(number: int, message_id: str) -> dict[str, Any]:
    """Return an unsend event."""
    return event(number, "unsend", unsend={"messageId": message_id})


DOCUMENTED: list[dict[str, Any]] = [
    text(1, "444573844083572737", "@All @example Good Morning!! (love)"),
    event(2, "message", message={"type": "image", "id": "2", "quoteToken": "q", "contentProvider": {"type": "line"}}),
    event(3, "message", message={"type": "location", "id": "3", "latitude": 35.67966, "longitude": 139.73669}),
    event(4, "message", message={"type": "file", "id": "4", "fileName": "請求書.pdf", "fileSize": 2138}),
    text(5, "444573844083572737", "edited", kind="messageEdited"),
    unsend(6, "444573844083572737"),
    event(7, "follow", follow={"isUnblocked": False}, replyToken="85cbe770fa8b4f45bbe077b1d4be4a36"),
    event(8, "unfollow"),
    event(9, "join", source={"type": "group", "groupId": GROUP_ID}, replyToken="r"),
    event(10, "leave", source={"type": "room", "roomId": "R" + "4" * 32}),
    event(11, "memberJoined", source={"type": "group", "groupId": GROUP_ID}, joined={"members": []}, replyToken="r"),
    event(12, "memberLeft", source={"type": "group", "groupId": GROUP_ID}, left={"members": []}),
    event(13, "postback", postback={"data": "a=1", "params": {"datetime": "2017-12-25T01:00"}}, replyToken="r"),
    event(14, "videoPlayComplete", videoPlayComplete={"trackingId": "track-id"}, replyToken="r"),
    event(15, "beacon", beacon={"hwid": "d41d8cd98f", "type": "enter"}, replyToken="r"),
    event(16, "accountLink", link={"result": "ok", "nonce": "8e3e1a"}, replyToken="r"),
    event(17, "membership", membership={"type": "joined", "membershipId": 3189}, replyToken="r"),
    event(18, "module", module={"type": "attached", "botId": BOT, "scopes": ["message:send"]}),
    event(19, "activated", chatControl={"expireAt": 1462629479859}),
    event(20, "botSuspended"),
    event(21, "delivery", delivery={"data": "hash"}),
]
"""An event of each documented type."""

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=90)
)
_any_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
_ids = st.sampled_from(["", "7", "8", "x" * 64, "x" * 65, "nul\x00", "\ud83d"]) | _any_json
_unusual_events = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["message", "messageEdited", "unsend", "follow", "new type"]) | _any_json,
        "mode": st.sampled_from(["active", "standby"]) | _any_json,
        "timestamp": st.integers(0, 2_000_000_000_000) | _any_json,
        "webhookEventId": _ids,
        "deliveryContext": _any_json,
        "source": st.fixed_dictionaries({}, optional={"type": _ids, "userId": _ids, "groupId": _ids, "roomId": _ids})
        | _any_json,
        "message": st.fixed_dictionaries({}, optional={"id": _ids, "type": _ids, "text": _any_json}) | _any_json,
        "unsend": st.fixed_dictionaries({}, optional={"messageId": _ids}) | _any_json,
        "unknownField": _any_json,
    },
)


def unusual_bodies() -> st.SearchStrategy[bytes]:
    """Generate bodies in the form of webhook requests, with events that LINE may never send."""
    envelopes = st.fixed_dictionaries(
        {"events": st.lists(_unusual_events, max_size=4)}, optional={"destination": _ids, "unknown": _any_json}
    )
    return st.builds(_render, envelopes, st.booleans(), st.sampled_from([None, 0, 1]))


def _render(envelope: dict[str, Any], ascii_only: bool, indent: int | None) -> bytes:
    return (
        json.dumps(envelope, ensure_ascii=ascii_only, indent=indent)
        .encode("utf-8", "surrogatepass")
        .replace(b"\xed\xa0\xbd", b"\\ud83d")
    )
