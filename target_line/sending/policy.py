"""The settings that decide whether, when and how a message goes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from line_core.errors import SettingError
from line_core.ids import is_line_id
from target_line.durations import parse_duration
from target_line.sending.quiet_hours import QuietHours

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """At most so many messages to a person in any span of that length."""

    messages: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """What holds for all messages of a run."""

    provider: str = "default"
    """Provider whose LINE IDs this channel can write to."""
    time_zone: tzinfo = UTC
    """Of times without a zone, and of people whose own is unknown."""
    time_zone_attribute: str = "time_zone"
    quiet_hours: QuietHours | None = None
    frequency_cap: FrequencyCap | None = None
    suppression_attributes: tuple[str, ...] = ()
    max_message_age: timedelta | None = None
    multicast_min: int = 2
    """From how many people on the same content goes by multicast."""
    test_recipients: tuple[str, ...] = ()
    """LINE IDs that get everything, instead of those whom it is for."""


def sending_policy_of(config: Mapping[str, Any]) -> SendingPolicy:
    """Read the settings.

    Raises:
        SettingError: One of them is not what it should be.
    """
    zone = config.get("time_zone")
    quiet_hours = config.get("quiet_hours")
    if quiet_hours and not zone:
        raise SettingError("quiet_hours needs to know in which time zone", setting="time_zone")
    testers = tuple(config["test_recipients"])
    for tester in testers:
        if not is_line_id(tester):
            raise SettingError(f"{tester!r} is not U and 32 hexadecimal digits", setting="test_recipients")
    cap = config.get("frequency_cap")
    age = config.get("max_message_age")
    return SendingPolicy(
        provider=config["provider"],
        time_zone=time_zone_of(zone) if zone else UTC,
        time_zone_attribute=config["time_zone_attribute"],
        quiet_hours=QuietHours.parse(quiet_hours) if quiet_hours else None,
        frequency_cap=FrequencyCap(cap["messages"], parse_duration(cap["per"], "frequency_cap")) if cap else None,
        suppression_attributes=tuple(config["suppression_attributes"]),
        max_message_age=parse_duration(age, "max_message_age") if age else None,
        multicast_min=config["multicast_min"],
        test_recipients=tuple(dict.fromkeys(testers)),
    )


def time_zone_of(name: str) -> ZoneInfo:
    """A time zone by its name, such as Asia/Tokyo.

    Raises:
        SettingError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise SettingError(f"{name!r} is no time zone such as Asia/Tokyo", setting="time_zone") from None
