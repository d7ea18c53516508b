"""Reading audiences: the channel's own and, through Business Manager, shared ones.

Source: LINE Messaging API reference, "Get audience data", "Get data for multiple audiences", "Get shared audience data
in Business Manager", "Get a list of shared audiences in Business Manager".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.audiences.routes import audience_number
from line_sandbox.foundation.api_errors import AudienceRefusal
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_parameters import flag_parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.audiences.state import Audience, Job
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_DEFAULT_SIZE = 20
_MAX_SIZE = 40
_SHARED_ROUTE = "AD_MANAGER"


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _AudienceLists(platform)
    router.add("GET /v2/bot/audienceGroup/list", endpoints.all)
    router.add("GET /v2/bot/audienceGroup/{audienceGroupId}", endpoints.get)
    router.add("GET /v2/bot/audienceGroup/shared/list", endpoints.all_shared)
    router.add("GET /v2/bot/audienceGroup/shared/{audienceGroupId}", endpoints.get_shared)


class _AudienceLists:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def all(self, request: Request) -> Reply:
        audiences = self._platform.audiences.all()
        if not flag_parameter(request, "includesExternalPublicGroups", default=True):
            audiences = [audience for audience in audiences if audience.can_write]
        return self._page(request, audiences)

    def all_shared(self, request: Request) -> Reply:
        includes_owned = flag_parameter(request, "includesOwnedAudienceGroups", default=False)
        audiences = [one for one in self._platform.audiences.all() if includes_owned or one.route == _SHARED_ROUTE]
        return self._page(request, audiences)

    def get(self, request: Request) -> Reply:
        audience = self._platform.audiences.find(audience_number(request))
        content = {"audienceGroup": self._told(audience), "jobs": self._jobs(audience)}
        if audience.route == _SHARED_ROUTE:
            content["adaccount"] = {"name": "Sandbox ads"}
        return Reply(content)

    def get_shared(self, request: Request) -> Reply:
        audience = self._platform.audiences.find(audience_number(request))
        account = self._platform.account
        owner = {"serviceType": "lineOfficialAccount", "id": account.basic_id, "name": account.display_name}
        return Reply({"audienceGroup": self._told(audience), "jobs": self._jobs(audience), "owner": owner})

    def _page(self, request: Request, audiences: Sequence[Audience]) -> Reply:
        page, size = request.integer("page", 1), request.integer("size", _DEFAULT_SIZE)
        if page < 1:
            raise AudienceRefusal("page: must be greater than or equal to 1", "TOO_LOW")
        if size > _MAX_SIZE:
            raise AudienceRefusal(f"size: must be less than or equal to {_MAX_SIZE}", "TOO_HIGH")
        if size < 1:
            raise AudienceRefusal("size: must be greater than or equal to 1", "TOO_LOW")
        wanted = self._wanted(request, audiences)
        first = (page - 1) * size
        return Reply(
            {
                "audienceGroups": [self._told(audience) for audience in wanted[first : first + size]],
                "hasNextPage": first + size < len(wanted),
                "totalCount": len(wanted),
                "readWriteAudienceGroupTotalCount": sum(audience.can_write for audience in wanted),
                "page": page,
                "size": size,
            }
        )

    def _wanted(self, request: Request, audiences: Sequence[Audience]) -> list[Audience]:
        words = (request.parameter("description") or "").lower()
        status = request.parameter("status")
        routes = request.query.get("createRoute", [])
        now = self._platform.clock.now()
        return [
            audience
            for audience in audiences
            if words in audience.description.lower()
            and status in (None, audience.status(now))
            and (not routes or audience.route in routes)
        ]

    def _told(self, audience: Audience) -> dict[str, Any]:
        told = {
            "audienceGroupId": audience.number,
            "createRoute": audience.route,
            "type": audience.kind,
            "description": audience.description,
            "status": audience.status(self._platform.clock.now()),
            "audienceCount": audience.shown_count,
            "created": int(audience.created),
            "permission": "READ_WRITE" if audience.can_write else "READ",
            "isIfaAudience": audience.is_ifa,
            "expireTimestamp": int(audience.ends_at),
            "requestId": audience.request_id,
            "clickUrl": audience.click_url,
        }
        return {name: value for name, value in told.items() if value is not None}

    def _jobs(self, audience: Audience) -> list[dict[str, Any]]:
        return [self._job(audience, job) for job in audience.jobs]

    def _job(self, audience: Audience, job: Job) -> dict[str, Any]:
        return {
            "audienceGroupJobId": job.number,
            "audienceGroupId": audience.number,
            "description": job.description,
            "type": "DIFF_ADD",
            "jobStatus": job.status(self._platform.clock.now()),
            "failedType": None,
            "audienceCount": job.people,
            "created": int(job.created),
        }
