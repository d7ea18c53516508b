"""Content of a message as it is sent to LINE: templates rendered, checked by LINE's rules for message objects."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from line_core.messages import check_messages
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.templates.rendering import TemplateValues, has_templates, render_templates

if TYPE_CHECKING:
    from datetime import datetime

    from line_core.identity.results import Profile
    from target_line.sending.read.message import Message, MessageObjects

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class MessageContent(NamedTuple):
    """The part of a request that is equal for all recipients of a multicast."""

    messages: str
    """JSON text of the list of message objects. It is encoded once for all recipients."""
    notification_disabled: bool = False
    aggregation_unit: str | None = None


class ContentRenderer:
    """Renders contents. Messages without templates are encoded and checked once for consecutive equal contents."""

    def __init__(self) -> None:
        self._last: tuple[MessageObjects, str] | None = None

    def __call__(
        self, message: Message, profile: Profile | None, *, with_unit: bool, local_now: datetime
    ) -> MessageContent:
        """Return the rendered content of a message.

        Args:
            message: The message.
            profile: Values for the templates; None if the recipient has no profile.
            with_unit: Whether LINE accepts a custom aggregation unit in the request.
            local_now: Current time in the time zone of the recipient.

        Raises:
            RejectedRecordError: A template cannot be rendered, or LINE would reject the rendered messages.
        """
        return MessageContent(
            self._render_messages(message, profile, local_now),
            message.notification_disabled,
            message.campaign if with_unit else None,
        )

    def _render_messages(self, message: Message, profile: Profile | None, local_now: datetime) -> str:
        if self._last and self._last[0] == message.content:
            return self._last[1]
        values = TemplateValues(_values_of(profile), message.variables, local_now)
        rendered = render_templates(message.content, values, "messages")
        text = json.dumps(_without_nulls(rendered), ensure_ascii=False, separators=(",", ":"))
        if problem := _find_problem(text):
            raise RejectedRecordError(Reason.INVALID_MESSAGE, problem)
        if not has_templates(message.content):
            self._last = message.content, text
        return text


@lru_cache(maxsize=100)
def _find_problem(text: str) -> str | None:
    """Return the reasons for which LINE would reject messages, given as JSON text; None if there are none."""
    if _LONE_SURROGATE.search(text):
        return "messages: half of a surrogate pair, which is not a character"
    problems = check_messages(json.loads(text))
    return "; ".join(map(str, problems)) or None


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value without the members of objects that are null. To LINE they are not absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _values_of(profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {}
    identifiers = {"id": profile.id, "email": profile.email}
    return {**profile.attributes, **{name: value for name, value in identifiers.items() if value is not None}}
