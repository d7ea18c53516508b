"""Columns and records of the streams `events` and `follows`.

Pure functions from a stored event to a record. LINE adds event types and fields without notice, so no field is
required. Fields without a column are in `payload`.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_line.event_records.payload import read_payload

if TYPE_CHECKING:
    from line_core.store.inbox import InboxEvent

_TEXT, _INTEGER, _BOOLEAN = th.StringType, th.IntegerType, th.BooleanType
_OBJECT = th.ObjectType(additional_properties=True)

COMMON_COLUMNS = (
    th.Property("webhook_event_id", _TEXT, required=True, description="LINE's ID of the event (ULID)"),
    th.Property("channel", _TEXT, required=True, description="Name of the channel that received the event"),
    th.Property("position", _INTEGER, required=True, description="Position in the inbox; increasing, with gaps"),
    th.Property("type", _TEXT, description="Event type, such as message, follow or postback; LINE may add types"),
    th.Property("occurred_at", th.DateTimeType, description="Time of the event, from LINE"),
    th.Property("received_at", th.DateTimeType, description="Time at which the receiver first received the event"),
    th.Property("line_id", _TEXT, description="LINE ID of the person; null if LINE does not send it"),
)

EVENT_COLUMNS = (
    *COMMON_COLUMNS,
    th.Property("mode", _TEXT, description="active, or standby (another module channel replies)"),
    th.Property("destination", _TEXT, description="User ID of the bot that received the event"),
    th.Property("is_redelivery", _BOOLEAN, description="Whether the stored delivery was a redelivery"),
    th.Property("deliveries", _INTEGER, description="Number of deliveries by LINE when the row was read"),
    th.Property("source_type", _TEXT, description="user, group or room"),
    th.Property("group_id", _TEXT, description="ID of the group"),
    th.Property("room_id", _TEXT, description="ID of the room (multi-person chat)"),
    th.Property("message_id", _TEXT, description="message, messageEdited, unsend: ID of the message"),
    th.Property("message_type", _TEXT, description="message: text, image, video, audio, file, location or sticker"),
    th.Property("message_text", _TEXT, description="message, messageEdited: the text"),
    th.Property(
        "message_state", _TEXT, description="current, superseded (edited later) or unsent (content was removed)"
    ),
    th.Property("quoted_message_id", _TEXT, description="message: ID of the quoted message"),
    th.Property("file_name", _TEXT, description="message of type file: name of the file"),
    th.Property("file_size", _INTEGER, description="message of type file: size in bytes"),
    th.Property("duration_ms", _INTEGER, description="message of type video or audio: duration in milliseconds"),
    th.Property("latitude", th.NumberType, description="message of type location: latitude in degrees"),
    th.Property("longitude", th.NumberType, description="message of type location: longitude in degrees"),
    th.Property("sticker_package_id", _TEXT, description="message of type sticker: ID of the package"),
    th.Property("sticker_id", _TEXT, description="message of type sticker: ID of the sticker"),
    th.Property(
        "is_unblocked", _BOOLEAN, description="follow: true if the person unblocked the account, false if added"
    ),
    th.Property(
        "member_line_ids", th.ArrayType(_TEXT), description="memberJoined, memberLeft: LINE IDs of the members"
    ),
    th.Property("postback_data", _TEXT, description="postback: data of the action"),
    th.Property("postback_params", _OBJECT, description="postback: selected date and time, or the new rich menu"),
    th.Property("link_result", _TEXT, description="accountLink: ok or failed"),
    th.Property("link_nonce", _TEXT, description="accountLink: nonce that your login page created"),
    th.Property("beacon_hwid", _TEXT, description="beacon: hardware ID of the beacon"),
    th.Property("beacon_type", _TEXT, description="beacon: enter, banner or stay"),
    th.Property("video_tracking_id", _TEXT, description="videoPlayComplete: tracking ID of the video"),
    th.Property("membership_type", _TEXT, description="membership: joined, left or renewed"),
    th.Property("membership_id", _INTEGER, description="membership: ID of the plan"),
    th.Property("payload", _OBJECT, description="The whole event, as LINE sent it"),
)

_STR, _INT, _BOOL, _FLOAT = (str,), (int,), (bool,), (int, float)

_Field = tuple[str, str, tuple[type, ...]]  # column, LINE's field name, accepted types

_MESSAGE_FIELDS: tuple[_Field, ...] = (
    ("message_type", "type", _STR),
    ("message_text", "text", _STR),
    ("quoted_message_id", "quotedMessageId", _STR),
    ("file_name", "fileName", _STR),
    ("file_size", "fileSize", _INT),
    ("duration_ms", "duration", _INT),
    ("latitude", "latitude", _FLOAT),
    ("longitude", "longitude", _FLOAT),
    ("sticker_package_id", "packageId", _STR),
    ("sticker_id", "stickerId", _STR),
)
# The event's object with further fields, and the columns of those fields, by event type.
_DETAILS: dict[str, tuple[str, tuple[_Field, ...]]] = {
    "message": ("message", _MESSAGE_FIELDS),
    "messageEdited": ("message", _MESSAGE_FIELDS),
    "follow": ("follow", (("is_unblocked", "isUnblocked", _BOOL),)),
    "postback": ("postback", (("postback_data", "data", _STR), ("postback_params", "params", (dict,)))),
    "accountLink": ("link", (("link_result", "result", _STR), ("link_nonce", "nonce", _STR))),
    "beacon": ("beacon", (("beacon_hwid", "hwid", _STR), ("beacon_type", "type", _STR))),
    "videoPlayComplete": ("videoPlayComplete", (("video_tracking_id", "trackingId", _STR),)),
    "membership": (
        "membership",
        (("membership_type", "type", _STR), ("membership_id", "membershipId", _INT)),
    ),
}
_MEMBERS_KEYS = {"memberJoined": "joined", "memberLeft": "left"}


def event_record(event: InboxEvent) -> dict[str, Any]:
    """Return the record of an event in the stream `events`."""
    payload = read_payload(event.payload)
    record = {
        **_common_fields(event),
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
    if event.type in _MEMBERS_KEYS:
        record["member_line_ids"] = _member_line_ids(payload.get(_MEMBERS_KEYS[event.type]))
    record["payload"] = payload
    return record


def follow_record(event: InboxEvent) -> dict[str, Any]:
    """Return the record of a follow or unfollow event in the stream `follows`."""
    return {**_common_fields(event), **_details(read_payload(event.payload), *_DETAILS["follow"])}


def _common_fields(event: InboxEvent) -> dict[str, Any]:
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
    details = payload.get(section)
    if not isinstance(details, dict):
        return {}
    # Compare exact types: a bool is an int, but not a number in JSON.
    return {column: details[key] for column, key, types in fields if key in details and type(details[key]) in types}


def _is_redelivery(payload: dict[str, Any]) -> bool | None:
    context = payload.get("deliveryContext")
    value = context.get("isRedelivery") if isinstance(context, dict) else None
    return value if isinstance(value, bool) else None


def _member_line_ids(section: object) -> list[str]:
    members = section.get("members") if isinstance(section, dict) else None
    if not isinstance(members, list):
        return []
    line_ids = (member.get("userId") for member in members if isinstance(member, dict))
    return [line_id for line_id in line_ids if isinstance(line_id, str)]
