"""The content of a message as LINE is to get it: templates filled in, checked against LINE's contract."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from line_core.messages import check_messages
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.decide.templates import fill, has_templates

if TYPE_CHECKING:
    from line_core.identity.model import Profile
    from target_line.sending.read.message import LineMessages, Message

_HALF_SURROGATE_PAIR = re.compile("[\ud800-\udfff]")


class ContentWriter:
    """Writes contents; what no template changes is written once for all that are to get it one after the other."""

    def __init__(self) -> None:
        """Begin with nothing written."""
        self._last: tuple[LineMessages, str] | None = None

    def __call__(self, message: Message, profile: Profile | None, with_unit: bool) -> str:  # noqa: FBT001 - one call, by the rules
        """A request's body but for whom it goes to, as JSON members: `"messages":[…],…`.

        Args:
            message: What is asked for.
            profile: What templates may name, if anything is known.
            with_unit: Whether LINE takes a custom aggregation unit with it.

        Raises:
            RejectedRecordError: A template cannot be filled in, or LINE would refuse the outcome.
        """
        members = f'"messages":{self._messages(message, profile)}'
        if message.notification_disabled:
            members += ',"notificationDisabled":true'
        if message.campaign and with_unit:
            members += f',"customAggregationUnits":["{message.campaign}"]'
        return members

    def _messages(self, message: Message, profile: Profile | None) -> str:
        if self._last and self._last[0] == message.content:
            return self._last[1]
        scope = {"profile": _template_view(profile), "variables": message.variables}
        text = json.dumps(fill(message.content, scope, "messages"), ensure_ascii=False, separators=(",", ":"))
        if problem := _problem(text):
            raise RejectedRecordError(Reason.INVALID_MESSAGE, problem)
        if not has_templates(message.content):
            self._last = message.content, text
        return text


@lru_cache(maxsize=100)
def _problem(text: str) -> str | None:
    """What LINE would refuse about messages, given as JSON text."""
    if _HALF_SURROGATE_PAIR.search(text):
        return "messages: half of a surrogate pair, which is no character"
    found = check_messages(json.loads(text))
    return "; ".join(map(str, found)) or None


def _template_view(profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {}
    named = {"id": profile.id, "email": profile.email}
    return {**profile.attributes, **{key: value for key, value in named.items() if value is not None}}
