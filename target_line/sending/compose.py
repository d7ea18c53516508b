"""From a message and the profile it is for to the body of a request, or to a reason why nothing is sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError

from target_line.identity.model import FollowState, Kind
from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from datetime import datetime

    from target_line.identity.model import Profile
    from target_line.sending.message import Message

_HALF_SURROGATE_PAIR = re.compile("[\ud800-\udfff]")
_LIQUID = Environment(undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing is sent, for this reason."""

    reason: Reason
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """One request to one person."""

    line_id: str
    body: str
    """JSON, exactly as it is to be sent at every attempt."""


@dataclass(frozen=True, slots=True)
class Unsendable:
    """The content cannot be sent as it is."""

    reason: Reason
    detail: str


Decision = Push | Skipped | Unsendable


def compose(message: Message, profile: Profile | None, provider: str, now: datetime) -> Decision:
    """Decide about one message.

    Args:
        message: What is asked for.
        profile: The profile that its recipient names, if any is known.
        provider: Provider whose LINE IDs this channel can write to.
        now: For `expires_at`.
    """
    if message.expires_at is not None and message.expires_at <= now:
        return Skipped(Reason.EXPIRED)
    line_id = _addressee(message, profile, provider)
    if isinstance(line_id, Skipped):
        return line_id
    try:
        body: dict[str, Any] = {"to": line_id, "messages": render(message, profile)}
    except RejectedRecordError as error:
        return Unsendable(error.reason, error.detail)
    if message.notification_disabled:
        body["notificationDisabled"] = True
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    if _HALF_SURROGATE_PAIR.search(text):
        return Unsendable(Reason.INVALID_MESSAGE, "messages: half of a surrogate pair, which is no character")
    return Push(line_id, text)


def _addressee(message: Message, profile: Profile | None, provider: str) -> str | Skipped:
    if profile is None:
        # Nothing is known of a LINE ID like that, so nothing speaks against it.
        is_line_id = message.recipient.kind is Kind.LINE_ID
        return message.recipient.value if is_line_id else Skipped(Reason.UNKNOWN_RECIPIENT)
    account = profile.canonical.get(provider)
    if account is None:
        return Skipped(Reason.NO_LINE_ID)
    if account.follow_state is FollowState.UNFOLLOWED:
        return Skipped(Reason.UNFOLLOWED, account.line_id)
    return account.line_id


def render(message: Message, profile: Profile | None) -> list[dict[str, Any]]:
    """Fill in the content's templates.

    Raises:
        RejectedRecordError: A template is malformed, or names something that there is not.
    """
    scope = {"profile": _template_view(profile), "variables": message.variables}
    return [_filled(item, scope, f"messages[{number}]") for number, item in enumerate(message.content)]


def _template_view(profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {}
    named = {"id": profile.id, "email": profile.email}
    return {**profile.attributes, **{key: value for key, value in named.items() if value is not None}}


def _filled(value: Any, scope: dict[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        try:
            return _LIQUID.from_string(value).render(**scope)
        except LiquidError as error:
            raise RejectedRecordError(Reason.TEMPLATE_ERROR, f"{path}: {error.message}") from None
    if isinstance(value, dict):
        return {key: _filled(item, scope, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, scope, f"{path}[{number}]") for number, item in enumerate(value)]
    return value
