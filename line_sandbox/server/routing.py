"""Which endpoint a request is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from line_sandbox.server.http import Reply, Request

    Handler = Callable[[Request], Reply | Awaitable[Reply]]

_ANY = "{}"


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint."""

    endpoint: str
    """Method and path template, such as `GET /v2/bot/profile/{userId}`."""
    handler: Handler
    is_open: bool
    """Whether it works without a channel access token."""
    takes_retry_key: bool
    """Whether LINE knows `X-Line-Retry-Key` there."""
    takes_file: bool
    """Whether bodies may be larger than LINE's usual 2 MB."""
    parameters: tuple[str, ...]
    """The names in the template, in order."""


@dataclass(slots=True)
class _Node:
    routes: dict[str, Route] = field(default_factory=dict)
    below: dict[str, _Node] = field(default_factory=dict)


class Router:
    """A tree of the paths' segments; a fixed segment goes before a parameter."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(
        self,
        endpoint: str,
        handler: Handler,
        *,
        is_open: bool = False,
        takes_retry_key: bool = False,
        takes_file: bool = False,
    ) -> None:
        """Add an endpoint, given as method and path template."""
        method, _, template = endpoint.partition(" ")
        segments = template.split("/")[1:]
        node = self._root
        for segment in segments:
            node = node.below.setdefault(_ANY if segment.startswith("{") else segment, _Node())
        names = tuple(segment[1:-1] for segment in segments if segment.startswith("{"))
        node.routes[method] = Route(endpoint, handler, is_open, takes_retry_key, takes_file, names)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """The endpoint of a request, with its path's parameters; None if there is none."""
        values: list[str] = []
        node = _descend(self._root, path.split("/")[1:], 0, values)
        route = node.routes.get(method) if node else None
        return (route, dict(zip(route.parameters, values, strict=True))) if route else None

    def methods(self, path: str) -> list[str]:
        """The methods that a path knows."""
        node = _descend(self._root, path.split("/")[1:], 0, [])
        return sorted(node.routes) if node else []


def _descend(node: _Node, segments: list[str], depth: int, values: list[str]) -> _Node | None:
    if depth == len(segments):
        return node if node.routes else None
    segment = segments[depth]
    fixed = node.below.get(segment)
    if fixed and (found := _descend(fixed, segments, depth + 1, values)):
        return found
    parameter = node.below.get(_ANY)
    if parameter and segment:
        values.append(segment)
        if found := _descend(parameter, segments, depth + 1, values):
            return found
        values.pop()
    return None
