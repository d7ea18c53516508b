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

__all__ = ["Contract", "Problem", "check_messages", "message_schemas"]


def check_messages(messages: Any) -> list[Problem]:  # noqa: ANN401 - any JSON
    """Return the problems because of which LINE would reject the `messages` of a request.

    Not checked: whether stickers, coupons, emoji and quote tokens exist, and the contents of URLs. Only LINE can do it.

    Args:
        messages: 1 to 5 message objects; any other value is a problem.

    Returns:
        Problems by property, such as `messages[0].text`; empty if LINE would accept the messages.
    """
    return _contract().problems({"messages": messages})


def message_schemas() -> Sequence[Traversable]:
    """Return the schemas of messages and their parts, for contracts that refer to them."""
    return sorted((files(__package__) / "schemas").iterdir(), key=lambda schema: schema.name)


@cache
def _contract() -> Contract:
    return Contract(message_schemas(), "line:///messages.json")
