"""The page at `/`. It shows users, request counts, and the latest delivered messages as LINE displays them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router

_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/sandbox/page/page.css": ("page.css", "text/css; charset=utf-8"),
    "/sandbox/page/dom.js": ("dom.js", "text/javascript; charset=utf-8"),
    "/sandbox/page/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/sandbox/page/messages.js": ("messages.js", "text/javascript; charset=utf-8"),
    "/sandbox/page/flex.js": ("flex.js", "text/javascript; charset=utf-8"),
}
# Messages can contain scripts, which must not run. Pictures are loaded from the URLs in the messages.
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: http: https:"


def add_page_routes(router: Router) -> None:
    """Add the routes of the page and its files."""
    for path in _FILES:
        router.add(f"GET {path}", _page)


def _page(request: HttpRequest) -> HttpResponse:
    name, media_type = _FILES[request.path]
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return HttpResponse(_content(name), media_type=media_type, headers=headers, is_logged=False)


@cache
def _content(name: str) -> bytes:
    return (files(__package__) / name).read_bytes()
