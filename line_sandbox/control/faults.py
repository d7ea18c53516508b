"""Control API: adds, lists and removes faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from line_sandbox.control.parameters import read_struct
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.response import JSON, HttpResponse
from line_sandbox.server.faults import Fault, FaultKind, FaultyResponse

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.sandbox import Sandbox

HeaderName = Annotated[str, msgspec.Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")]
HeaderValue = Annotated[str, msgspec.Meta(pattern=r"^[\t -~]*\Z")]


class _NewFault(msgspec.Struct, forbid_unknown_fields=True):
    kind: FaultKind
    path: str = "/"
    method: str | None = None
    contains: str = ""
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 500
    body: Any = msgspec.UNSET
    headers: dict[HeaderName, HeaderValue] | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    count: Annotated[int, msgspec.Meta(ge=0)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0


_SLOW_SECONDS = 5.0
_TIMEOUT_SECONDS = 60.0
_MEDIA_TYPE = "content-type"
_FRAMING_HEADERS = {"content-length", "transfer-encoding", "connection"}


def add_routes(router: Router, sandbox: Sandbox) -> None:
    """Add the routes of this module."""
    control = _FaultControl(sandbox)
    router.add("GET /sandbox/faults", control.all)
    router.add("POST /sandbox/faults", control.add)
    router.add("DELETE /sandbox/faults", control.clear)


class _FaultControl:
    def __init__(self, sandbox: Sandbox) -> None:
        self._faults = sandbox.faults

    def all(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({"faults": [_describe(fault) for fault in self._faults.all()]})

    def add(self, request: HttpRequest) -> HttpResponse:
        new = read_struct(request, _NewFault)
        default_seconds = _SLOW_SECONDS if new.kind is FaultKind.SLOW else _TIMEOUT_SECONDS
        fault = Fault(
            kind=new.kind,
            path=new.path,
            method=new.method.upper() if new.method else None,
            contains=new.contains.encode(),
            response=_response(new),
            seconds=default_seconds if new.seconds is None else new.seconds,
            left=new.count,
            probability=new.probability,
            seed=new.seed,
        )
        self._faults.add(fault)
        return HttpResponse(_describe(fault))

    def clear(self, _: HttpRequest) -> HttpResponse:
        self._faults.clear()
        return HttpResponse({})


def _response(new: _NewFault) -> FaultyResponse:
    """Return the response of a new fault.

    Raises:
        InvalidRequest: The fault has no response, or a header would end the response early.
    """
    is_text = isinstance(new.body, str)
    headers = None if new.headers is None else {name.lower(): value for name, value in new.headers.items()}
    if not new.kind.replaces_response and not (new.body is msgspec.UNSET and headers is None):
        raise InvalidRequest(f"a fault of the kind {new.kind} has no body and no headers")
    if headers and (framing := sorted(_FRAMING_HEADERS & headers.keys())):
        raise InvalidRequest(f"headers cannot be set: {', '.join(framing)}")
    body = None if new.body is msgspec.UNSET else new.body.encode() if is_text else msgspec.json.encode(new.body)
    media_type = (headers or {}).pop(_MEDIA_TYPE, "text/html; charset=utf-8" if is_text else JSON)
    return FaultyResponse(new.status, body, headers, media_type)


def _describe(fault: Fault) -> dict[str, object]:
    return {
        "kind": fault.kind,
        "path": fault.path,
        "method": fault.method,
        "contains": fault.contains.decode(),
        "status": fault.response.status,
        "body": None if fault.response.body is None else fault.response.body.decode(),
        "headers": fault.response.headers,
        "media_type": fault.response.media_type,
        "seconds": fault.seconds,
        "left": fault.left,
        "probability": fault.probability,
        "seed": fault.seed,
        "met": fault.met,
    }
