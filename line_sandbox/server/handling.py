"""Turns requests into responses. Requests to LINE's endpoints pass LINE's checks in their order, and faults apply."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import ErrorResponse, InvalidRequest, NotFound, TooLarge, Unauthorized
from line_sandbox.http.response import HttpResponse
from line_sandbox.messages.send_request import RETRY_KEY_HEADER, retry_key
from line_sandbox.server.wrong_pages import empty_page, request_first_page

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Route, Router
    from line_sandbox.server.faults import Fault
    from line_sandbox.server.sandbox import Sandbox

MAX_BODY_BYTES = 2 * 1024 * 1024
MAX_FILE_BYTES = 64 * 1024 * 1024

_SERVER_ERROR = 500


async def respond_control(sandbox: Sandbox, router: Router, request: HttpRequest) -> HttpResponse:
    """Return the response to a request to the control API or the page."""
    try:
        route = _route(router, request)
        sandbox.platform.deliver_due()
        return await _call_handler(route, request)
    except ErrorResponse as error:
        return _error(error)


async def respond_line(sandbox: Sandbox, request: HttpRequest, fault: Fault | None) -> HttpResponse:
    """Return the response to a request to one of LINE's endpoints, changed by the fault if there is one."""
    response = HttpResponse()
    try:
        route = _route(sandbox.router, request)
        if fault and fault.kind.prevents_processing:
            _begin_retry_key(sandbox, route, request)
        else:
            _authorize(sandbox, route, request)
            if fault:
                request_first_page(fault.kind, request)
            response = await _process(sandbox, route, request)
    except ErrorResponse as error:
        response = _error(error)
    response.headers["x-line-request-id"] = sandbox.platform.request_id(request.number)
    return _apply(fault, request, response) if fault else response


def _apply(fault: Fault, request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Change or replace a response, if the kind of the fault does so."""
    empty_page(fault.kind, request, response)
    note = f"fault {fault.kind}" + (f", {response.note}" if response.note else "")
    if not fault.kind.replaces_response:
        response.note = note
        return response
    faulty = fault.response
    return HttpResponse(
        {"message": _fault_message(faulty.status)} if faulty.body is None else faulty.body,
        status=faulty.status,
        headers=response.headers if faulty.headers is None else {**faulty.headers},
        media_type=faulty.media_type,
        note=note,
    )


def _authorize(sandbox: Sandbox, route: Route, request: HttpRequest) -> None:
    if route.requires_token:
        scheme, _, token = (request.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not sandbox.platform.tokens.accepts(token.strip()):
            raise Unauthorized


async def _process(sandbox: Sandbox, route: Route, request: HttpRequest) -> HttpResponse:
    try:
        _check(sandbox, route, request)
        sandbox.platform.deliver_due()
        return await _call_handler(route, request)
    except ErrorResponse:
        _begin_retry_key(sandbox, route, request)
        raise


def _begin_retry_key(sandbox: Sandbox, route: Route, request: HttpRequest) -> None:
    """Begin the lifetime of the retry key of a request that is not accepted, if it has a key."""
    if route.accepts_retry_key and (key := retry_key(request)):
        sandbox.platform.messaging.retry_keys.begin(key)


def _check(sandbox: Sandbox, route: Route, request: HttpRequest) -> None:
    if sandbox.options.rate_limits:
        sandbox.rate_limits.take(route.endpoint)
    if len(request.body) > (MAX_FILE_BYTES if route.accepts_file else MAX_BODY_BYTES):
        raise TooLarge
    if not route.accepts_retry_key and request.header(RETRY_KEY_HEADER) is not None:
        raise InvalidRequest("The retry key is not supported by this API")


def _route(router: Router, request: HttpRequest) -> Route:
    """Find the route of a request and store its endpoint and path parameters in the request."""
    found = router.find(request.method, request.path)
    if found is None:
        request.endpoint = f"{request.method} (no such endpoint)"
        raise NotFound
    route, request.path_parameters = found
    request.endpoint = route.endpoint
    return route


async def _call_handler(route: Route, request: HttpRequest) -> HttpResponse:
    response = route.handler(request)
    return await response if inspect.isawaitable(response) else response


def _error(error: ErrorResponse) -> HttpResponse:
    return HttpResponse(error.body(), status=error.status, headers={**error.headers()}, note=error.message)


def _fault_message(status: int) -> str:
    return "Internal Server Error" if status >= _SERVER_ERROR else "A fault of the sandbox set this status"
