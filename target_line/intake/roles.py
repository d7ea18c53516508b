"""The role of a stream: the kind of its records."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """The role of a stream."""

    PROFILES = "profiles"
    """Identifiers and attributes of persons."""
    FOLLOWS = "follows"
    """Follow and unfollow events."""
    FOLLOWERS = "followers"
    """LINE IDs that follow the channel at the time of the record."""
    FRIENDSHIPS = "friendships"
    """The current follow state of LINE IDs."""
    MESSAGES = "messages"
    """Messages to send."""
    CANCELLATIONS = "cancellations"
    """Messages and campaigns to withdraw."""


def role_of(stream: str, stream_roles: Mapping[str, str]) -> Role:
    """Return the role from the setting `stream_roles`, else from the last word of the name (`public-CRM_Profiles`).

    Raises:
        SettingError: The stream has no role, or the setting contains an unknown role.
    """
    configured = stream_roles.get(stream)
    last_part = re.split(r"[-_.:/]", stream)[-1].casefold()
    try:
        return Role(last_part if configured is None else configured)
    except ValueError:
        roles = ", ".join(Role)
        if configured is not None:
            message = f"stream {stream!r} cannot have the role {configured!r}; the roles are {roles}"
        else:
            message = f"no role for stream {stream!r}: deselect it in the tap, or assign one of {roles}"
        raise SettingError(message, setting="stream_roles") from None
