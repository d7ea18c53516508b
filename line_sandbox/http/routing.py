"""Finds the endpoint of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.response import HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]

_ANY = "{}"


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and its handler."""

    endpoint: str
    """Method and path template, such as `GET /v2/bot/profile/{userId}`."""
    handler: Handler
    requires_token: bool
    """Whether requests need a channel access token."""
    accepts_retry_key: bool
    """Whether requests may have the header `X-Line-Retry-Key`."""
    accepts_file: bool
    """Whether bodies may be larger than LINE's usual limit of 2 MB."""
    parameters: tuple[str, ...]
    """The parameter names in the template, in order."""


@dataclass(slots=True)
class _Node:
    routes: dict[str, Route] = field(default_factory=dict)
    """Routes that end at this node, by method."""
    children: dict[str, _Node] = field(default_factory=dict)
    """Nodes by the next path segment; `{}` stands for a parameter."""


class Router:
    """A tree of path segments. A literal segment takes precedence over a parameter."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(
        self,
        endpoint: str,
        handler: Handler,
        *,
        requires_token: bool = True,
        accepts_retry_key: bool = False,
        accepts_file: bool = False,
    ) -> None:
        """Add a route for an endpoint, given as method and path template."""
        method, _, template = endpoint.partition(" ")
        segments = template.split("/")[1:]
        node = self._root
        for segment in segments:
            node = node.children.setdefault(_ANY if segment.startswith("{") else segment, _Node())
        names = tuple(segment[1:-1] for segment in segments if segment.startswith("{"))
        node.routes[method] = Route(endpoint, handler, requires_token, accepts_retry_key, accepts_file, names)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route of a request and its path parameters; None if no route matches."""
        values: list[str] = []
        node = _match(self._root, path.split("/")[1:], 0, values)
        route = node.routes.get(method) if node else None
        return (route, dict(zip(route.parameters, values, strict=True))) if route else None


def _match(node: _Node, segments: list[str], depth: int, values: list[str]) -> _Node | None:
    """Return the node that matches the segments from `depth` on; append the parameters' values to `values`."""
    if depth == len(segments):
        return node if node.routes else None
    segment = segments[depth]
    literal = node.children.get(segment)
    if literal and (found := _match(literal, segments, depth + 1, values)):
        return found
    parameter = node.children.get(_ANY)
    if parameter and segment:
        values.append(segment)
        if found := _match(parameter, segments, depth + 1, values):
            return found
        values.pop()
    return None
