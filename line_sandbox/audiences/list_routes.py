"""Endpoints that return audiences: the channel's own ones, and those shared in Business Manager.

Source: LINE Messaging API reference, "Get audience data", "Get data for multiple audiences", "Get shared audience data
in Business Manager", "Get a list of shared audiences in Business Manager".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.audiences.routes import audience_id_parameter
from line_sandbox.foundation.api_errors import AudienceErrorResponse, InvalidRequest
from line_sandbox.http.parameters import flag_parameter
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.account.state import Account
    from line_sandbox.audiences.state import Audience, AudienceStore, UploadJob
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router

_DEFAULT_SIZE = 20
_MAX_SIZE = 40
_SHARED_ROUTE = "AD_MANAGER"


def add_routes(router: Router, *, audiences: AudienceStore, account: Account, clock: Clock) -> None:
    """Add the routes of this module."""
    routes = _AudienceListRoutes(audiences, account, clock)
    router.add("GET /v2/bot/audienceGroup/list", routes.list_audiences)
    router.add("GET /v2/bot/audienceGroup/{audienceGroupId}", routes.get)
    router.add("GET /v2/bot/audienceGroup/shared/list", routes.list_shared_audiences)
    router.add("GET /v2/bot/audienceGroup/shared/{audienceGroupId}", routes.get_shared)


class _AudienceListRoutes:
    def __init__(self, audiences: AudienceStore, account: Account, clock: Clock) -> None:
        self._audiences = audiences
        self._account = account
        self._clock = clock

    def list_audiences(self, request: HttpRequest) -> HttpResponse:
        audiences = self._audiences.all()
        if not flag_parameter(request, "includesExternalPublicGroups", default=True):
            audiences = [audience for audience in audiences if audience.can_write]
        return self._page(request, audiences)

    def list_shared_audiences(self, request: HttpRequest) -> HttpResponse:
        includes_owned = flag_parameter(request, "includesOwnedAudienceGroups", default=False)
        audiences = [
            audience for audience in self._audiences.all() if includes_owned or audience.route == _SHARED_ROUTE
        ]
        return self._page(request, audiences)

    def get(self, request: HttpRequest) -> HttpResponse:
        audience = self._audiences.find(audience_id_parameter(request))
        content = self._audience_with_jobs(audience)
        if audience.route == _SHARED_ROUTE:
            content["adaccount"] = {"name": "Sandbox ads"}
        return HttpResponse(content)

    def get_shared(self, request: HttpRequest) -> HttpResponse:
        audience = self._audiences.find(audience_id_parameter(request))
        account = self._account
        owner = {"serviceType": "lineOfficialAccount", "id": account.basic_id, "name": account.display_name}
        return HttpResponse({**self._audience_with_jobs(audience), "owner": owner})

    def _page(self, request: HttpRequest, audiences: Sequence[Audience]) -> HttpResponse:
        if request.query_parameter("page") is None:
            raise InvalidRequest.for_parameter("page")
        page, size = request.query_integer("page", 1), request.query_integer("size", _DEFAULT_SIZE)
        if page < 1:
            raise AudienceErrorResponse("page: must be greater than or equal to 1", "TOO_LOW")
        if size > _MAX_SIZE:
            raise AudienceErrorResponse(f"size: must be less than or equal to {_MAX_SIZE}", "TOO_HIGH")
        if size < 1:
            raise AudienceErrorResponse("size: must be greater than or equal to 1", "TOO_LOW")
        matching = self._matching(request, audiences)
        first = (page - 1) * size
        return HttpResponse(
            {
                "audienceGroups": [self._audience(audience) for audience in matching[first : first + size]],
                "hasNextPage": first + size < len(matching),
                "totalCount": len(matching),
                "readWriteAudienceGroupTotalCount": sum(audience.can_write for audience in matching),
                "page": page,
                "size": size,
            }
        )

    def _matching(self, request: HttpRequest, audiences: Sequence[Audience]) -> Sequence[Audience]:
        """Return the audiences that match the query parameters."""
        description = (request.query_parameter("description") or "").lower()
        status = request.query_parameter("status")
        routes = request.query.get("createRoute", [])
        now = self._clock.now()
        return [
            audience
            for audience in audiences
            if description in audience.description.lower()
            and status in (None, audience.status(now))
            and (not routes or audience.route in routes)
        ]

    def _audience_with_jobs(self, audience: Audience) -> dict[str, Any]:
        jobs = [self._job(audience, job) for job in audience.jobs]
        return {"audienceGroup": self._audience(audience), "jobs": jobs}

    def _audience(self, audience: Audience) -> dict[str, Any]:
        content = {
            "audienceGroupId": audience.id,
            "createRoute": audience.route,
            "type": audience.type,
            "description": audience.description,
            "status": audience.status(self._clock.now()),
            "audienceCount": audience.displayed_count,
            "created": int(audience.created_at),
            "permission": "READ_WRITE" if audience.can_write else "READ",
            "isIfaAudience": audience.is_ifa,
            "expireTimestamp": int(audience.expires_at),
            "requestId": audience.request_id,
            "clickUrl": audience.click_url,
        }
        return {name: value for name, value in content.items() if value is not None}

    def _job(self, audience: Audience, job: UploadJob) -> dict[str, Any]:
        return {
            "audienceGroupJobId": job.id,
            "audienceGroupId": audience.id,
            "description": job.description,
            "type": "DIFF_ADD",
            "jobStatus": job.status(self._clock.now()),
            "failedType": None,
            "audienceCount": job.added_count,
            "created": int(job.created_at),
        }
