"""Rules of messages that depend on the recipient: mentions and the tracking id of videos.

Source: LINE Messaging API reference, "Mention object", "Video message". The texts of these errors are not documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def check_for_users(messages: Sequence[dict[str, Any]]) -> None:
    """Check messages to users, or by a method other than push and reply: they must not contain mentions.

    Raises:
        InvalidRequest: A message contains a mention.
    """
    for index, _ in _mentions(messages):
        raise _invalid(f"messages[{index}].substitution", "Mentions can be sent to groups and rooms only")


def check_for_chat(messages: Sequence[dict[str, Any]], is_member: Callable[[str], bool]) -> None:
    """Check messages to a group or room.

    Args:
        messages: Valid message objects.
        is_member: Returns whether the user with an ID is a member of the chat.

    Raises:
        InvalidRequest: A message mentions a user who is not a member, or a video has a tracking id.
    """
    for index, mention in _mentions(messages):
        mentionee = mention["mentionee"]
        if mentionee["type"] == "user" and not is_member(mentionee["userId"]):
            raise _invalid(f"messages[{index}].substitution", "Only members of the chat can be mentioned")
    for index, message in enumerate(messages):
        if "trackingId" in message:
            raise _invalid(f"messages[{index}].trackingId", "Must not be specified for groups and rooms")


def _mentions(messages: Sequence[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the index of the message and the mention object of each mention."""
    for index, message in enumerate(messages):
        if "substitution" in message:
            yield from ((index, part) for part in message["substitution"].values() if part["type"] == "mention")


def _invalid(name: str, message: str) -> InvalidRequest:
    return InvalidRequest.with_details(Problem(name, message))
