"""Settings that decide whether, when and how messages are sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from line_core.errors import SettingError
from line_core.ids import is_line_id
from target_line.durations import parse_duration
from target_line.sending.quiet_hours import QuietHours
from target_line.sending.time_zones import read_time_zone
from target_line.settings import UnknownMessageTypes

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """Maximum number of messages to one LINE ID in any period of the given length."""

    messages: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """Parsed sending settings of a run."""

    provider: str = "default"
    """Provider whose LINE IDs the channel can send to."""
    time_zone: tzinfo = UTC
    """Time zone of times without an offset, and of people whose time zone is unknown."""
    time_zone_attribute: str = "time_zone"
    """Profile attribute with the person's time zone."""
    quiet_hours: QuietHours | None = None
    frequency_cap: FrequencyCap | None = None
    suppression_attributes: tuple[str, ...] = ()
    """Profile attributes that opt a person out."""
    max_message_age: timedelta | None = None
    multicast_min: int = 2
    """Minimum number of recipients of a multicast; fewer recipients get push messages."""
    test_recipients: tuple[str, ...] = ()
    """LINE IDs that receive samples instead of the recipients."""
    test_samples: int = 1
    """Number of samples of each source template."""
    once_per_campaign: bool = False
    """Whether a person gets at most one message of a campaign."""
    rejects_unknown_types: bool = False
    """Whether content of a type that this version does not know is rejected."""


def sending_policy_from_config(config: Mapping[str, Any]) -> SendingPolicy:
    """Parse the sending settings.

    Raises:
        SettingError: A setting is invalid.
    """
    zone = config.get("time_zone")
    quiet_hours = config.get("quiet_hours")
    if quiet_hours and not zone:
        raise SettingError("quiet_hours requires a time zone", setting="time_zone")
    test_recipients = tuple(config["test_recipients"])
    for line_id in test_recipients:
        if not is_line_id(line_id):
            raise SettingError(f"{line_id!r} is not U and 32 hexadecimal digits", setting="test_recipients")
    cap = config.get("frequency_cap")
    age = config.get("max_message_age")
    return SendingPolicy(
        provider=config["provider"],
        time_zone=parse_time_zone(zone) if zone else UTC,
        time_zone_attribute=config["time_zone_attribute"],
        quiet_hours=QuietHours.parse(quiet_hours) if quiet_hours else None,
        frequency_cap=FrequencyCap(cap["messages"], parse_duration(cap["per"], "frequency_cap")) if cap else None,
        suppression_attributes=tuple(config["suppression_attributes"]),
        max_message_age=parse_duration(age, "max_message_age") if age is not None else None,
        multicast_min=config["multicast_min"],
        test_recipients=tuple(dict.fromkeys(test_recipients)),
        test_samples=config["test_samples"],
        once_per_campaign=config["once_per_campaign"],
        rejects_unknown_types=config.get("unknown_message_types") == UnknownMessageTypes.REJECT,
    )


def parse_time_zone(name: str) -> tzinfo:
    """Return a time zone by its IANA name or its offset, such as Asia/Tokyo or +09:00.

    Raises:
        SettingError: It is neither.
    """
    zone = read_time_zone(name)
    if zone is None:
        raise SettingError(f"{name!r} is not a time zone such as Asia/Tokyo", setting="time_zone")
    return zone
