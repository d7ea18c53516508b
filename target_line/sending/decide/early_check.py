"""Checks of a message when it is read: what neither a later profile nor a later day can make valid."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from liquid.exceptions import LiquidError

from line_core.messages import check_messages, check_recipient_rules
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.content import without_nulls
from target_line.sending.read.recipients import ChatRecipient
from target_line.sending.templates.liquid_environment import compile_template
from target_line.sending.templates.rendering import has_templates

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from target_line.sending.read.message import Message

_PATH_PART = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def check_early(message: Message, now: datetime) -> None:
    """Check the times of a message, and its content if it is due later. Other contents are checked when they are sent.

    Raises:
        RejectedRecordError: The message can never be sent as it is.
    """
    if message.send_at and message.expires_at and message.expires_at <= message.send_at:
        raise RejectedRecordError(Reason.INVALID_TIMESTAMP, "expires_at is not after send_at", "expires_at")
    if message.send_at and message.send_at > now:
        content = json.dumps(without_nulls(message.content), ensure_ascii=False)
        error = _error_in(content, is_for_chat=isinstance(message.recipient, ChatRecipient))
        if error:
            raise RejectedRecordError(*error)


@lru_cache(maxsize=100)
def _error_in(content: str, *, is_for_chat: bool) -> tuple[Reason, str] | None:
    """Return the reason code and the detail of the first error in message objects, given as JSON text."""
    messages = json.loads(content)
    for path, text in _texts(messages, "messages"):
        try:
            if has_templates(text):
                compile_template(text)
        except LiquidError as error:
            return Reason.TEMPLATE_ERROR, f"{path}: {error.message}"
    found = check_messages(messages)
    problems = [problem for problem in found if not problem.is_unknown_type]
    if not found and not has_templates(messages):
        problems = check_recipient_rules(messages, is_for_chat=is_for_chat)
    fixed = [str(problem) for problem in problems if not has_templates(_object_with(messages, problem.property))]
    return (Reason.INVALID_MESSAGE, "; ".join(fixed)) if fixed else None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}[{number}]")


def _object_with(messages: list[Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the object that has a property, such as `messages[0].text`: its other properties can matter too."""
    value: Any = {"messages": messages}
    parent: Any = messages
    for index, name in _PATH_PART.findall(path):
        if isinstance(value, dict):
            parent = value
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            break
    return parent
