"""Control API: adds, lists and removes faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from line_sandbox.control.parameters import read_struct
from line_sandbox.http.response import HttpResponse
from line_sandbox.server.faults import Fault, FaultKind

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.server.sandbox import Sandbox


class _NewFault(msgspec.Struct, forbid_unknown_fields=True):
    kind: FaultKind
    path: str = "/"
    method: str | None = None
    status: Annotated[int, msgspec.Meta(ge=200, le=599)] = 500
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    count: Annotated[int, msgspec.Meta(ge=0)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0


_SLOW_SECONDS = 5.0
_TIMEOUT_SECONDS = 60.0


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
            status=new.status,
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


def _describe(fault: Fault) -> dict[str, object]:
    return {
        "kind": fault.kind,
        "path": fault.path,
        "method": fault.method,
        "status": fault.status,
        "seconds": fault.seconds,
        "left": fault.left,
        "probability": fault.probability,
        "seed": fault.seed,
        "met": fault.met,
    }
