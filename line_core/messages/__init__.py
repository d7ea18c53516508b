"""Validation of LINE's message objects, without HTTP.

The target checks messages with it before sending, and the sandbox checks requests with the same rules.

Source: LINE Messaging API reference, "Message objects"; LINE's OpenAPI description of the Messaging API.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from line_core.messages.contract import Contract, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

__all__ = ["Contract", "Problem", "check_messages", "check_recipient_rules", "message_schemas"]


def check_messages(messages: Any) -> list[Problem]:  # noqa: ANN401 - any JSON
    """Return the problems because of which LINE would reject the `messages` of a request.

    Not checked: whether stickers, coupons, emoji and quote tokens exist, and the contents of URLs. Only LINE can do it.

    Args:
        messages: 1 to 5 message objects; any other value is a problem.

    Returns:
        Problems by property, such as `messages[0].text`; empty if LINE would accept the messages. Those with
        `is_unknown_type` are no reason to reject them: LINE may have added the type since.
    """
    return _contract().problems({"messages": messages})


def check_recipient_rules(messages: Sequence[dict[str, Any]], *, is_for_chat: bool) -> list[Problem]:
    """Return the problems of valid messages for a kind of recipient: mentions, and tracking ids of videos.

    Source: LINE Messaging API reference, "Mention object" and "Video message". The texts are not LINE's.

    Args:
        messages: Valid message objects.
        is_for_chat: Whether the recipient of a push is a group or a room.
    """
    problems = []
    for number, message in enumerate(messages):
        if is_for_chat and message["type"] == "video" and "trackingId" in message:
            problems.append(Problem(f"messages[{number}].trackingId", "Must not be specified for groups and rooms"))
        parts = message.get("substitution", {}).values() if message["type"] == "textV2" else ()
        if not is_for_chat and any(part["type"] == "mention" for part in parts):
            problems.append(
                Problem(f"messages[{number}].substitution", "Mentions can be sent to groups and rooms only")
            )
    return problems


def message_schemas() -> Sequence[Traversable]:
    """Return the schemas of messages and their parts, for contracts that refer to them."""
    return sorted((files(__package__) / "schemas").iterdir(), key=lambda schema: schema.name)


@cache
def _contract() -> Contract:
    return Contract(message_schemas(), "line:///messages.json")
