"""Content of a message as it is sent to LINE: templates rendered, checked by LINE's rules for message objects."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from line_core.messages import check_messages, check_recipient_rules
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.templates.rendering import TemplateValues, has_templates, render_templates
from target_line.sending.templates.values import LONE_SURROGATE

if TYPE_CHECKING:
    from datetime import datetime

    from line_core.identity.results import Profile
    from target_line.sending.read.message import Message, MessageObjects


class MessageContent(NamedTuple):
    """The part of a request that is equal for all recipients of a multicast."""

    messages: str
    """JSON text of the list of message objects. It is encoded once for all recipients."""
    notification_disabled: bool = False
    aggregation_unit: str | None = None


class ContentRenderer:
    """Renders contents. Messages without templates are encoded and checked once for consecutive equal contents."""

    def __init__(self, *, rejects_unknown_types: bool = False) -> None:
        """Create the renderer.

        Args:
            rejects_unknown_types: Whether content of a type that the schemas do not know is an error.
        """
        self._rejects_unknown_types = rejects_unknown_types
        self._last: tuple[MessageObjects, str] | None = None
        self.messages_of_unknown_type: set[str] = set()
        """Ids of the messages whose content has a type that the schemas do not know."""

    def __call__(
        self, message: Message, profile: Profile | None, *, with_unit: bool, is_for_chat: bool, local_now: datetime
    ) -> MessageContent:
        """Return the rendered content of a message.

        Args:
            message: The message.
            profile: Values for the templates; None if the recipient has no profile.
            with_unit: Whether LINE accepts a custom aggregation unit in the request.
            is_for_chat: Whether the recipient is a group or a room.
            local_now: Current time in the time zone of the recipient.

        Raises:
            RejectedRecordError: A template cannot be rendered, or LINE would reject the rendered messages.
        """
        text = self._render_messages(message, profile, local_now)
        checked = _check(text, is_for_chat=is_for_chat)
        unknown = "; ".join(checked.unknown_types) if self._rejects_unknown_types else ""
        if problem := checked.problem or unknown:
            raise RejectedRecordError(Reason.INVALID_MESSAGE, problem)
        if checked.unknown_types:
            self.messages_of_unknown_type.add(message.message_id)
        return MessageContent(text, message.notification_disabled, message.campaign if with_unit else None)

    def _render_messages(self, message: Message, profile: Profile | None, local_now: datetime) -> str:
        if self._last and self._last[0] == message.content:
            return self._last[1]
        values = TemplateValues(_values_of(profile), message.variables, local_now)
        rendered = render_templates(message.content, values, "messages")
        text = json.dumps(without_nulls(rendered), ensure_ascii=False, separators=(",", ":"))
        if not has_templates(message.content):
            self._last = message.content, text
        return text


class _CheckedContent(NamedTuple):
    problem: str
    """The reasons for which LINE would reject the messages; empty if there are none."""
    unknown_types: tuple[str, ...]
    """Properties with a type that the schemas do not know, with the known types."""


@lru_cache(maxsize=100)
def _check(text: str, *, is_for_chat: bool) -> _CheckedContent:
    """Check messages, given as JSON text."""
    if LONE_SURROGATE.search(text):
        return _CheckedContent("messages: half of a surrogate pair, which is not a character", ())
    messages = json.loads(text)
    found = check_messages(messages)
    problems = [str(problem) for problem in found if not problem.is_unknown_type]
    if not found:
        problems += map(str, check_recipient_rules(messages, is_for_chat=is_for_chat))
    return _CheckedContent("; ".join(problems), tuple(str(problem) for problem in found if problem.is_unknown_type))


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without the members of objects that are null. To LINE they are not absent."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _values_of(profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {}
    identifiers = {"id": profile.id, "email": profile.email}
    return {**profile.attributes, **{name: value for name, value in identifiers.items() if value is not None}}
