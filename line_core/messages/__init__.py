"""LINE's message objects: what may be sent, and what is wrong with what may not.

Knows nothing of HTTP: whoever sends can check before, and whoever plays LINE checks with the same rules.

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
    """Tell what LINE would refuse about the `messages` of a request.

    What only LINE can know is not checked: whether stickers, coupons, emoji and quote tokens exist, and what a URL
    leads to.

    Args:
        messages: 1 to 5 message objects; anything else is a problem too.

    Returns:
        The problems, each with its property, such as `messages[0].text`; empty if there are none.
    """
    return _contract().problems({"messages": messages})


def message_schemas() -> Sequence[Traversable]:
    """The schemas of messages and what they are made of, for contracts that build on them."""
    return sorted((files(__package__) / "schemas").iterdir(), key=lambda schema: schema.name)


@cache
def _contract() -> Contract:
    return Contract(message_schemas(), "line:///messages.json")
