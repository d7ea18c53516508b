"""python-liquid with strict values, limits, and escaping of what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO, cast

from liquid import BoundTemplate, Environment, FalsyStrictUndefined, RenderContext
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.capture_tag import CaptureNode, CaptureTag
from liquid.builtin.tags.cycle_tag import CycleNode, CycleTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForTag
from liquid.exceptions import LiquidError
from liquid.output import LimitedStringIO
from liquid.undefined import UNDEFINED

from target_line.sending.templates.conditions import LimitedItems, ValueIfTag, ValueUnlessTag
from target_line.sending.templates.filters import add_filters
from target_line.sending.templates.tags import check_tags
from target_line.sending.templates.values import SafeText, TemplateValueError, is_blank, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from liquid import Token, TokenStream
    from liquid.ast import Node
    from liquid.expression import Expression

    from target_line.sending.templates.budget import Budget
    from target_line.sending.templates.escaping import Escape

_MAX_OUTPUT_BYTES = 100_000
_MAX_LOCAL_BYTES = 1_000_000
_HTML_AND_FILE_TAGS = ("tablerow", "include", "render")


def render(text: str, scope: Mapping[str, Any], budget: Budget, escape: Escape) -> str:
    """Return a rendered template.

    Args:
        text: The template.
        scope: Values by name. `now` is the current time in the recipient's time zone.
        budget: Limits of the message's templates.
        escape: How values are escaped.

    Raises:
        LiquidError: The template is malformed, exceeds a limit, or uses a value that it may not use.
    """
    budget.check_time()
    try:
        template = compile_template(text)
        buffer = LimitedStringIO(_MAX_OUTPUT_BYTES, newline="")  # otherwise, line ends of values are changed
        context = MessageContext(template, scope, budget, escape, buffer)
        template.render_with_context(context, buffer)
    except LiquidError:
        raise
    except RecursionError:
        raise TemplateValueError("the template is nested too deeply") from None
    except Exception as error:  # noqa: BLE001 - a fault of a filter or of python-liquid concerns this template only
        raise TemplateValueError(f"the template cannot be rendered ({type(error).__name__})") from None
    rendered = buffer.getvalue()
    if context.empty_names and rendered.strip():
        raise TemplateValueError(f"{context.empty_names[0]} is empty")
    return rendered


class MessageContext(RenderContext):
    """State of the rendering of one template."""

    def __init__(
        self, template: BoundTemplate, scope: Mapping[str, Any], budget: Budget, escape: Escape, buffer: LimitedStringIO
    ) -> None:
        super().__init__(template, globals=template.make_globals(scope))
        self._budget = budget
        self._escape = escape
        self._buffer = buffer
        self.captures = 0
        """Captures around the current node. What is captured is escaped when it is printed."""
        self.empty_names: list[str] = []
        """Names of empty values of profile and variables that were printed."""

    def write(self, value: object, buffer: TextIO) -> int:
        """Print a value, escaped.

        Raises:
            TemplateValueError: The value cannot be printed.
        """
        text = text_of(value)
        if not self.captures and not isinstance(text, SafeText):
            text = self._escape(text, self._buffer.getvalue() if buffer is self._buffer else None)
        return buffer.write(text)

    def get(self, path: list[object], *, token: Token | None, default: object = UNDEFINED) -> object:
        """Return a value by its path. Null is undefined."""
        value = super().get(path, token=token, default=default)
        if value is None:
            return self.env.undefined(str(path[0]), hint=f"{'.'.join(map(str, path))} is null", token=token)
        return value

    def get_item(self, obj: Any, key: Any) -> Any:  # noqa: ANN401 - as in python-liquid
        """Return an item. `size`, `first` and `last` of an object are members: a missing size is no number of members.

        Raises:
            LookupError: The item does not exist.
            TypeError: The value has no items.
        """
        return obj[key] if isinstance(obj, Mapping) and isinstance(key, str) else super().get_item(obj, key)

    def filter(self, name: str, token: Token | None) -> Any:  # noqa: ANN401 - as in python-liquid
        """Return a filter, while time is left."""
        self._budget.check_time()
        return super().filter(name, token)

    @contextmanager
    def loop(self, namespace: Mapping[str, object], forloop: Any) -> Iterator[RenderContext]:  # noqa: ANN401
        """Enter a loop whose steps are counted."""
        forloop.it = self._budget.count_steps(forloop.it)
        with super().loop(namespace, forloop) as context:
            yield context


class _MessageEnvironment(Environment):
    loop_iteration_limit = 10_000
    output_stream_limit = _MAX_OUTPUT_BYTES
    local_namespace_limit = _MAX_LOCAL_BYTES
    context_depth_limit = 20

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in (_Output, _EchoTag, _CycleTag, _CaptureTag, _ForTag, ValueIfTag, ValueUnlessTag):
            self.add_tag(tag)
        for name in _HTML_AND_FILE_TAGS:
            self.tags.pop(name)
        add_filters(self)


def _print(expression: Expression, context: RenderContext, buffer: TextIO) -> int:
    """Print the value of an expression. The error names the expression."""
    message_context = cast("MessageContext", context)
    try:
        value = expression.evaluate(context)
        size = message_context.write(value, buffer)
    except TemplateValueError as error:
        raise TemplateValueError(f"{str(expression) or 'nothing'}: {error.message}") from None
    if is_blank(value) and isinstance(expression, FilteredExpression) and (name := _empty_name(expression, context)):
        message_context.empty_names.append(name)
    return size


def _empty_name(expression: FilteredExpression, context: RenderContext) -> str | None:
    """Return the name of a value of the record or the profile that is a blank text and has no default."""
    path = expression.left
    is_data = isinstance(path, Path) and path.head() not in context.locals
    has_default = any(used.name == "default" for used in expression.filters or ())
    return str(path) if is_data and not has_default and is_blank(path.evaluate(context)) else None


class _OutputNode(OutputNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _print(self.expression, context, buffer)


class _Output(Output):
    node_class = _OutputNode


class _EchoNode(EchoNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _print(self.expression, context, buffer)


class _EchoTag(EchoTag):
    node_class = _EchoNode


class _CycleNode(CycleNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        group = text_of(self.group.evaluate(context)) if self.group else ""
        key = group or str([str(arg) for arg in self.args])
        arg = self.args[context.cycle(key, len(self.args)) % len(self.args)]
        return _print(arg, context, buffer)


class _CycleTag(CycleTag):
    node_class = _CycleNode


class _CaptureNode(CaptureNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        message_context = cast("MessageContext", context)
        message_context.captures += 1
        try:
            return super().render_to_output(context, buffer)
        finally:
            message_context.captures -= 1


class _CaptureTag(CaptureTag):
    node_class = _CaptureNode


class _ForTag(ForTag):
    def parse(self, stream: TokenStream) -> Node:
        node = super().parse(stream)
        loop = cast("Any", node).expression
        loop.iterable = LimitedItems(loop.iterable)
        return node


_ENVIRONMENT = _MessageEnvironment(undefined=FalsyStrictUndefined)


@lru_cache(maxsize=300)
def compile_template(text: str) -> BoundTemplate:
    check_tags(text)
    return _ENVIRONMENT.from_string(text)
