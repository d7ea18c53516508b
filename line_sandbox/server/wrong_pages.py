"""Faults of paged responses: pages that repeat, and pages that never end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.server.faults import FaultKind

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.response import HttpResponse

_KINDS = (FaultKind.FIRST_PAGE, FaultKind.ENDLESS_PAGES)


def request_first_page(kind: FaultKind, request: HttpRequest) -> None:
    """Change the parameters that select a page to the first one, if the fault is about pages."""
    if kind in _KINDS:
        request.query.pop("start", None)
        if "page" in request.query:
            request.query["page"] = ["1"]


def empty_page(kind: FaultKind, request: HttpRequest, response: HttpResponse) -> None:
    """Empty a page and announce a next one, if the fault is about endless pages."""
    content = response.content
    if kind is not FaultKind.ENDLESS_PAGES or not response.is_success or not isinstance(content, dict):
        return
    response.content = {name: [] if isinstance(value, list) else value for name, value in content.items()}
    response.content |= {"hasNextPage": True} if "hasNextPage" in content else {"next": f"page-{request.number}"}
