"""Liquid templates in message content. Undefined names are errors, not empty text."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError

from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liquid import BoundTemplate

_TEMPLATE_MARKS = ("{{", "{%")


class _LimitedEnvironment(Environment):
    # Far above the needs of a message. A template above them is a mistake, for example an endless loop.
    loop_iteration_limit = 10_000
    output_stream_limit = 100_000
    context_depth_limit = 20


_ENVIRONMENT = _LimitedEnvironment(undefined=StrictUndefined)


def render_templates(value: Any, scope: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with all its templates rendered.

    Args:
        value: Any JSON value. Its texts may be templates; its keys are not.
        scope: Values that templates can use, by name.
        path: Path of the value in the message, for error texts.

    Raises:
        RejectedRecordError: A template is malformed, exceeds a limit, or uses an undefined name.
    """
    if isinstance(value, str):
        return _render(value, scope, path) if has_templates(value) else value
    if isinstance(value, dict):
        return {key: render_templates(item, scope, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [render_templates(item, scope, f"{path}[{number}]") for number, item in enumerate(value)]
    return value


def has_templates(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether any text of a JSON value is a template."""
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATE_MARKS)
    if isinstance(value, dict):
        return any(map(has_templates, value.values()))
    return isinstance(value, list) and any(map(has_templates, value))


def _render(text: str, scope: Mapping[str, Any], path: str) -> str:
    try:
        return _compile(text).render(**scope)
    except LiquidError as error:
        raise RejectedRecordError(Reason.TEMPLATE_ERROR, f"{path}: {error.message}") from None


@lru_cache(maxsize=1000)
def _compile(text: str) -> BoundTemplate:
    return _ENVIRONMENT.from_string(text)
