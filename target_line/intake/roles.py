"""What a stream's records are to the target: its role."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """The part that a stream plays."""

    PROFILES = "profiles"
    """Identify people: each record names a person and says something about them."""
    FOLLOWS = "follows"
    """Follow and unfollow events."""
    FOLLOWERS = "followers"
    """LINE IDs that follow at the time of the record."""
    FRIENDSHIPS = "friendships"
    """The current follow state of LINE IDs."""
    MESSAGES = "messages"
    """Messages to send."""


def role_of(stream: str, stream_roles: Mapping[str, str]) -> Role:
    """The role of a stream: as `stream_roles` says, else by the last part of its name (`public-profiles` → profiles).

    Raises:
        SettingError: The stream has no role, or the setting names one that there is not.
    """
    named = stream_roles.get(stream)
    last_part = re.split(r"[-.:/]", stream)[-1]
    try:
        return Role(named if named is not None else last_part)
    except ValueError:
        roles = ", ".join(Role)
        if named is not None:
            message = f"stream {stream!r} cannot have the role {named!r}; the roles are {roles}"
        else:
            message = f"no role for stream {stream!r}: deselect it in the tap, or give it one of {roles}"
        raise SettingError(message, setting="stream_roles") from None
