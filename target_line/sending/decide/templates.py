"""Liquid in message content, strict: a name that there is not is an error, never an empty space."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from liquid import Environment, StrictUndefined
from liquid.exceptions import LiquidError

from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from liquid import BoundTemplate

_OPENERS = ("{{", "{%")


class _Liquid(Environment):
    # What fills a message needs far less; more is a mistake that would stand still for ever.
    loop_iteration_limit = 10_000
    output_stream_limit = 100_000
    context_depth_limit = 20


_LIQUID = _Liquid(undefined=StrictUndefined)


def fill(value: Any, scope: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Fill in all templates of a JSON value.

    Args:
        value: Any JSON; its texts may be templates.
        scope: What templates may name.
        path: Where the value stands, for errors.

    Raises:
        RejectedRecordError: A template is malformed, asks too much, or names something that there is not.
    """
    if isinstance(value, str):
        return _filled(value, scope, path) if has_templates(value) else value
    if isinstance(value, dict):
        return {key: fill(item, scope, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, scope, f"{path}[{number}]") for number, item in enumerate(value)]
    return value


def has_templates(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether any text of a JSON value is a template."""
    if isinstance(value, str):
        return any(opener in value for opener in _OPENERS)
    if isinstance(value, dict):
        return any(map(has_templates, value.values()))
    return isinstance(value, list) and any(map(has_templates, value))


def _filled(text: str, scope: Mapping[str, Any], path: str) -> str:
    try:
        return _template(text).render(**scope)
    except LiquidError as error:
        raise RejectedRecordError(Reason.TEMPLATE_ERROR, f"{path}: {error.message}") from None


@lru_cache(maxsize=1000)
def _template(text: str) -> BoundTemplate:
    return _LIQUID.from_string(text)
