"""The columns of `events`: what all webhook events share, and what the common types tell.

Pure: from a stored event to a record. LINE adds types and fields without notice, so nothing here insists on anything;
what has no column is in `payload`.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_line.event_records.payload import read_payload

if TYPE_CHECKING:
    from line_core.store.inbox import InboxEvent

_TEXT, _NUMBER, _FLAG = th.StringType, th.IntegerType, th.BooleanType
_OBJECT = th.ObjectType(additional_properties=True)

IDENTITY = (
    th.Property("webhook_event_id", _TEXT, required=True, description="LINE's id of the event (ULID)"),
    th.Property("channel", _TEXT, required=True, description="Name of the channel that received it"),
    th.Property("position", _NUMBER, required=True, description="Reading order in the inbox; grows, with gaps"),
    th.Property("type", _TEXT, description="Event type, such as message, follow or postback; LINE may add types"),
    th.Property("occurred_at", th.DateTimeType, description="When it happened, by LINE's clock"),
    th.Property("received_at", th.DateTimeType, description="When the receiver first got it"),
    th.Property("line_id", _TEXT, description="LINE ID of the person who did it; null if LINE does not tell"),
)

COLUMNS = (
    *IDENTITY,
    th.Property("mode", _TEXT, description="active, or standby: another module answers"),
    th.Property("destination", _TEXT, description="User ID of the bot that it was sent to"),
    th.Property("is_redelivery", _FLAG, description="Whether the delivery stored was a repeated one"),
    th.Property("deliveries", _NUMBER, description="How often LINE had sent it when the row was read"),
    th.Property("source_type", _TEXT, description="user, group or room"),
    th.Property("group_id", _TEXT, description="Group that it happened in"),
    th.Property("room_id", _TEXT, description="Room (multi-person chat) that it happened in"),
    th.Property("message_id", _TEXT, description="message, messageEdited, unsend: id of the message"),
    th.Property("message_type", _TEXT, description="message: text, image, video, audio, file, location or sticker"),
    th.Property("message_text", _TEXT, description="message, messageEdited: the text"),
    th.Property(
        "message_state", _TEXT, description="current, superseded (edited since) or unsent (its content was blanked)"
    ),
    th.Property("quoted_message_id", _TEXT, description="message: id of the message that it quotes"),
    th.Property("file_name", _TEXT, description="message of type file: name of the file"),
    th.Property("file_size", _NUMBER, description="message of type file: size in bytes"),
    th.Property("duration_ms", _NUMBER, description="message of type video or audio: length in milliseconds"),
    th.Property("latitude", th.NumberType, description="message of type location: degrees north"),
    th.Property("longitude", th.NumberType, description="message of type location: degrees east"),
    th.Property("sticker_package_id", _TEXT, description="message of type sticker: its package"),
    th.Property("sticker_id", _TEXT, description="message of type sticker: its id"),
    th.Property("is_unblocked", _FLAG, description="follow: whether a block was lifted, rather than a friend added"),
    th.Property(
        "member_line_ids", th.ArrayType(_TEXT), description="memberJoined, memberLeft: LINE IDs of the members"
    ),
    th.Property("postback_data", _TEXT, description="postback: the action's data"),
    th.Property("postback_params", _OBJECT, description="postback: date and time chosen, or the rich menu switched to"),
    th.Property("link_result", _TEXT, description="accountLink: ok or failed"),
    th.Property("link_nonce", _TEXT, description="accountLink: the nonce that your login page made"),
    th.Property("beacon_hwid", _TEXT, description="beacon: hardware id of the beacon"),
    th.Property("beacon_type", _TEXT, description="beacon: enter, banner or stay"),
    th.Property("video_tracking_id", _TEXT, description="videoPlayComplete: tracking id of the video"),
    th.Property("membership_type", _TEXT, description="membership: joined, left or renewed"),
    th.Property("membership_id", _NUMBER, description="membership: id of the plan"),
    th.Property("payload", _OBJECT, description="The whole event as LINE sent it"),
)


_TEXT_VALUE, _NUMBER_VALUE, _FLAG_VALUE = (str,), (int,), (bool,)
_COORDINATE_VALUE = (int, float)

_Field = tuple[str, str, tuple[type, ...]]

# By event type: the object that tells more, and which of its fields go into which column.
_MESSAGE: tuple[_Field, ...] = (
    ("message_type", "type", _TEXT_VALUE),
    ("message_text", "text", _TEXT_VALUE),
    ("quoted_message_id", "quotedMessageId", _TEXT_VALUE),
    ("file_name", "fileName", _TEXT_VALUE),
    ("file_size", "fileSize", _NUMBER_VALUE),
    ("duration_ms", "duration", _NUMBER_VALUE),
    ("latitude", "latitude", _COORDINATE_VALUE),
    ("longitude", "longitude", _COORDINATE_VALUE),
    ("sticker_package_id", "packageId", _TEXT_VALUE),
    ("sticker_id", "stickerId", _TEXT_VALUE),
)
_DETAILS: dict[str, tuple[str, tuple[_Field, ...]]] = {
    "message": ("message", _MESSAGE),
    "messageEdited": ("message", _MESSAGE),
    "follow": ("follow", (("is_unblocked", "isUnblocked", _FLAG_VALUE),)),
    "postback": ("postback", (("postback_data", "data", _TEXT_VALUE), ("postback_params", "params", (dict,)))),
    "accountLink": ("link", (("link_result", "result", _TEXT_VALUE), ("link_nonce", "nonce", _TEXT_VALUE))),
    "beacon": ("beacon", (("beacon_hwid", "hwid", _TEXT_VALUE), ("beacon_type", "type", _TEXT_VALUE))),
    "videoPlayComplete": ("videoPlayComplete", (("video_tracking_id", "trackingId", _TEXT_VALUE),)),
    "membership": (
        "membership",
        (("membership_type", "type", _TEXT_VALUE), ("membership_id", "membershipId", _NUMBER_VALUE)),
    ),
}
_MEMBERS = {"memberJoined": "joined", "memberLeft": "left"}


def event_record(event: InboxEvent) -> dict[str, Any]:
    """A record of `events`."""
    payload = read_payload(event.payload)
    record = {
        **identity_of(event),
        "mode": event.mode,
        "destination": event.destination,
        "is_redelivery": _is_redelivery(payload),
        "deliveries": event.deliveries,
        "source_type": event.source_type,
        "message_id": event.message_id,
        "message_state": event.message_state,
    }
    if event.chat_id is not None:
        record["room_id" if event.source_type == "room" else "group_id"] = event.chat_id
    if event.type in _DETAILS:
        record.update(_details(payload, *_DETAILS[event.type]))
    if event.type in _MEMBERS:
        record["member_line_ids"] = _members(payload.get(_MEMBERS[event.type]))
    record["payload"] = payload
    return record


def follow_record(event: InboxEvent) -> dict[str, Any]:
    """A record of `follows`."""
    return {**identity_of(event), **_details(read_payload(event.payload), *_DETAILS["follow"])}


def identity_of(event: InboxEvent) -> dict[str, Any]:
    """The columns that `events` and `follows` share."""
    return {
        "webhook_event_id": event.webhook_event_id,
        "channel": event.channel,
        "position": event.position,
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat(),
        "received_at": event.received_at.isoformat(),
        "line_id": event.line_id,
    }


def _details(payload: dict[str, Any], section: str, fields: tuple[_Field, ...]) -> dict[str, Any]:
    told = payload.get(section)
    if not isinstance(told, dict):
        return {}
    # The exact type: True is no number here.
    return {column: told[key] for column, key, types in fields if key in told and type(told[key]) in types}


def _is_redelivery(payload: dict[str, Any]) -> bool | None:
    context = payload.get("deliveryContext")
    told = context.get("isRedelivery") if isinstance(context, dict) else None
    return told if isinstance(told, bool) else None


def _members(told: object) -> list[str]:
    members = told.get("members") if isinstance(told, dict) else None
    if not isinstance(members, list):
        return []
    line_ids = (member.get("userId") for member in members if isinstance(member, dict))
    return [line_id for line_id in line_ids if isinstance(line_id, str)]
