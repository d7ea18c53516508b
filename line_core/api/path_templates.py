"""Finds the path template that matches a path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

_PARAMETER = "{}"


class PathMatch(NamedTuple, Generic[T]):
    """A template that matches a path."""

    value: T
    """The value that was added with the template."""
    parameters: tuple[str, ...]
    """Values of the template's parameters, in order."""


@dataclass(slots=True)
class _Node(Generic[T]):
    values: list[T] = field(default_factory=list)
    """The value of the template that ends at this node, if any."""
    children: dict[str, _Node[T]] = field(default_factory=dict)
    """Nodes by the next path segment; `{}` stands for a parameter."""


class PathTemplates(Generic[T]):
    """Path templates such as `/v2/bot/profile/{userId}`, each with a value.

    A literal segment takes precedence over a parameter. A parameter matches one segment that is not empty.
    """

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def setdefault(self, template: str, value: T) -> T:
        """Add a template with a value. If the template exists, keep its value and return that."""
        node = self._root
        for segment in template.split("/")[1:]:
            node = node.children.setdefault(_PARAMETER if segment.startswith("{") else segment, _Node())
        if not node.values:
            node.values.append(value)
        return node.values[0]

    def match(self, path: str) -> PathMatch[T] | None:
        """Return the template that matches a path; None if no template does."""
        parameters: list[str] = []
        node = _match(self._root, path.split("/")[1:], parameters)
        return PathMatch(node.values[0], tuple(parameters)) if node else None


def parameter_names(template: str) -> tuple[str, ...]:
    """Return the names of a template's parameters, in order."""
    return tuple(segment[1:-1] for segment in template.split("/") if segment.startswith("{"))


def _match(node: _Node[T], segments: list[str], parameters: list[str]) -> _Node[T] | None:
    """Return the node that matches the segments; append the values of its parameters to `parameters`."""
    if not segments:
        return node if node.values else None
    segment, rest = segments[0], segments[1:]
    literal = node.children.get(segment)
    if literal and (found := _match(literal, rest, parameters)):
        return found
    parameter = node.children.get(_PARAMETER)
    if parameter and segment:
        parameters.append(segment)
        if found := _match(parameter, rest, parameters):
            return found
        parameters.pop()
    return None
