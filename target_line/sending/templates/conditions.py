"""The tags `if` and `unless`: a text that is empty or blank is false, like a missing value; ranges have a limit.

In Liquid every text is true. But empty texts in data are missing values, and `{% if profile.nick %}` asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from liquid.builtin.expressions import Path
from liquid.builtin.expressions.logical import ContainsExpression, LogicalAndExpression, LogicalOrExpression
from liquid.builtin.tags.if_tag import IfTag
from liquid.builtin.tags.unless_tag import UnlessTag
from liquid.expression import Expression

from target_line.sending.templates.values import TemplateValueError, is_blank

if TYPE_CHECKING:
    from liquid import RenderContext, TokenStream
    from liquid.ast import Node


class ValueIfTag(IfTag):
    """The tag `if`."""

    def parse(self, stream: TokenStream) -> Node:
        """Parse the tag and its block."""
        return _with_blank_as_false(super().parse(stream))


class ValueUnlessTag(UnlessTag):
    """The tag `unless`."""

    def parse(self, stream: TokenStream) -> Node:
        """Parse the tag and its block."""
        return _with_blank_as_false(super().parse(stream))


class LimitedItems(Expression):
    """The items of a loop or of `contains`, if they are not too many.

    The library would copy all numbers of a range to reverse it, and compare each with a text.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Expression) -> None:
        """Create the expression.

        Args:
            items: The expression of the items.
        """
        super().__init__(items.token)
        self._items = items

    def __str__(self) -> str:
        return str(self._items)

    def evaluate(self, context: RenderContext) -> object:
        """Return the items.

        Raises:
            TemplateValueError: They are too many.
        """
        items = self._items.evaluate(context)
        limit = context.env.loop_iteration_limit or 0
        if isinstance(items, range | list) and items[limit:]:
            raise TemplateValueError(f"a loop of more than {limit:,} steps")
        return items

    def children(self) -> list[Expression]:
        """Return the expression of the items."""
        return [self._items]


class _Value(Expression):
    """The value of a path, or false if it is a blank text."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        super().__init__(path.token)
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def evaluate(self, context: RenderContext) -> object:
        value = self._path.evaluate(context)
        return False if is_blank(value) else value

    def children(self) -> list[Expression]:
        return [self._path]


def _with_blank_as_false(node: Node) -> Node:
    tag = cast("Any", node)
    for condition in (tag.condition, *(alternative.expression for alternative in tag.alternatives)):
        condition.expression = _replace_parts(condition.expression)
    return node


def _replace_parts(expression: Expression) -> Expression:
    """Return a condition in which the parts that are a path only, and containers, are replaced."""
    if isinstance(expression, LogicalAndExpression | LogicalOrExpression):
        expression.left = _replace_parts(expression.left)
        expression.right = _replace_parts(expression.right)
    if isinstance(expression, ContainsExpression):
        expression.left = LimitedItems(expression.left)
    return _Value(expression) if isinstance(expression, Path) else expression
