"""Finds the endpoint of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.api.path_templates import PathTemplates, parameter_names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.response import HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]


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


class Router:
    """The routes of a server."""

    def __init__(self) -> None:
        self._templates: PathTemplates[dict[str, Route]] = PathTemplates()
        """The routes of each path template, by method."""

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
        routes = self._templates.setdefault(template, {})
        names = parameter_names(template)
        routes[method] = Route(endpoint, handler, requires_token, accepts_retry_key, accepts_file, names)

    def find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the route of a request and its path parameters; None if no route matches."""
        match = self._templates.match(path)
        route = match.value.get(method) if match else None
        return (route, dict(zip(route.parameters, match.parameters, strict=True))) if match and route else None
