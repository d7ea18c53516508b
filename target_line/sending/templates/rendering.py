"""Render the templates of message objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from liquid.exceptions import LiquidError

from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.templates.budget import Budget
from target_line.sending.templates.emoji_places import mark_places, resolve_places
from target_line.sending.templates.escaping import Escape, escape_braces, escape_for, without_emoji_marks
from target_line.sending.templates.liquid_environment import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TEMPLATE_MARKS = ("{{", "{%")


class TemplateValues(NamedTuple):
    """Values that templates can use, by name."""

    profile: Mapping[str, Any]
    variables: Mapping[str, Any]
    now: datetime
    """The current time in the recipient's time zone."""


def render_templates(value: Any, values: TemplateValues, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with all its templates rendered.

    Args:
        value: Any JSON value. Its texts may be templates; its keys are not.
        values: Values for the templates.
        path: Path of the value in the message, for error texts.

    Raises:
        RejectedRecordError: A template is malformed, exceeds a limit, uses a value that cannot be printed, or leaves
            its text blank.
    """
    if not has_templates(value):
        return value
    scope = {**values._asdict(), "today": values.now.date()}
    return _Renderer(scope).render(value, path)


def has_templates(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether any text of a JSON value is a template."""
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATE_MARKS)
    if isinstance(value, dict):
        return any(map(has_templates, value.values()))
    return isinstance(value, list) and any(map(has_templates, value))


class _Renderer:
    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._scope = scope
        self._budget = Budget()

    def render(self, value: Any, path: str, parent: Mapping[str, Any] | None = None, name: str = "") -> Any:  # noqa: ANN401
        """Return a JSON value with its templates rendered.

        Args:
            value: Any JSON value.
            path: Path of the value in the message.
            parent: The object that has the value.
            name: Name of the value in this object.
        """
        if isinstance(value, str):
            return self._render_text(value, path, escape_for((parent or {}).get("type"), name))
        if isinstance(value, dict):
            # Escaping depends on the type, which can be a template too.
            type_ = self.render(value.get("type"), f"{path}.type")
            own = {**value, "type": type_}
            rendered = {key: self.render(item, f"{path}.{key}", own, key) for key, item in value.items()}
            emojis = value.get("emojis")
            if type_ == "text" and isinstance(emojis, list) and has_templates(value.get("text")):
                rendered |= self._render_with_emojis(value["text"], rendered["emojis"], path)
            return rendered
        if isinstance(value, list):
            return [self.render(item, f"{path}[{number}]") for number, item in enumerate(value)]
        return value

    def _render_with_emojis(self, text: str, emojis: list[Any], path: str) -> dict[str, Any]:
        marked = mark_places(text, emojis)
        if marked is None:  # the indexes count in the rendered text
            return {}
        rendered, found = resolve_places(self._render_text(marked, f"{path}.text", without_emoji_marks), emojis)
        return {"text": rendered, "emojis": found}

    def _render_text(self, text: str, path: str, escape: Escape) -> str:
        if not has_templates(text):
            return text
        try:
            rendered = render(text, self._scope, self._budget, escape)
        except LiquidError as error:
            hint = "; a literal brace is {% raw %}{{{% endraw %}" if escape is escape_braces else ""
            raise RejectedRecordError(Reason.TEMPLATE_ERROR, f"{path}: {error.message}{hint}") from None
        if not rendered.strip():
            raise RejectedRecordError(Reason.INVALID_MESSAGE, f"{path}: blank after its template is rendered")
        return rendered
