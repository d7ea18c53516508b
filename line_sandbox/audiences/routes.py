"""Endpoints that create, change and delete audiences.

Source: LINE Messaging API reference, "Managing Audience".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.audiences.state import check_description
from line_sandbox.audiences.uploads import read_upload, resolve_ids
from line_sandbox.foundation.api_errors import AudienceErrorResponse
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.audiences.state import Audience, AudienceStore
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.insight.message_statistics import MessageStatistics
    from line_sandbox.users.state import Users

_MAX_IDS_IN_JSON = 10_000
_MAX_IDS_IN_FILE = 1_500_000
_MAX_MESSAGE_AGE_SECONDS = 60 * 24 * 3600
_MAX_SAMPLED_RECIPIENTS = 100_000
_CLICKED_FRACTION = 0.2
_OPENED_FRACTION = 0.6


def add_routes(  # noqa: PLR0913 - the states that the endpoints use, all by keyword
    router: Router,
    *,
    audiences: AudienceStore,
    users: Users,
    statistics: MessageStatistics,
    random: SeededRandom,
    clock: Clock,
) -> None:
    """Add the routes of this module."""
    routes = _AudienceRoutes(audiences, users, statistics, random, clock)
    router.add("POST /v2/bot/audienceGroup/upload", routes.create)
    router.add("PUT /v2/bot/audienceGroup/upload", routes.add_users)
    router.add("POST /v2/bot/audienceGroup/upload/byFile", routes.create_from_file, accepts_file=True)
    router.add("PUT /v2/bot/audienceGroup/upload/byFile", routes.add_users_from_file, accepts_file=True)
    router.add("POST /v2/bot/audienceGroup/click", routes.create_from_clicks)
    router.add("POST /v2/bot/audienceGroup/imp", routes.create_from_impressions)
    router.add("PUT /v2/bot/audienceGroup/{audienceGroupId}/updateDescription", routes.rename)
    router.add("DELETE /v2/bot/audienceGroup/{audienceGroupId}", routes.delete)


class _AudienceRoutes:
    def __init__(
        self, audiences: AudienceStore, users: Users, statistics: MessageStatistics, random: SeededRandom, clock: Clock
    ) -> None:
        self._audiences = audiences
        self._users = users
        self._statistics = statistics
        self._random = random
        self._clock = clock

    def create(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "audiences.json#/$defs/create")
        ids = [audience["id"] for audience in body.get("audiences", [])]
        return self._create(body, ids, is_ifa=body.get("isIfaAudience", False), max_ids=_MAX_IDS_IN_JSON)

    def create_from_file(self, request: HttpRequest) -> HttpResponse:
        fields, ids = read_upload(request)
        is_ifa = fields.get("isIfaAudience", "").lower() == "true"
        return self._create(fields, ids, is_ifa=is_ifa, max_ids=_MAX_IDS_IN_FILE)

    def add_users(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "audiences.json#/$defs/addUsers")
        return self._add_users(body, [audience["id"] for audience in body["audiences"]], max_ids=_MAX_IDS_IN_JSON)

    def add_users_from_file(self, request: HttpRequest) -> HttpResponse:
        fields, ids = read_upload(request)
        audience_id = fields.get("audienceGroupId", "")
        body = fields | {"audienceGroupId": int(audience_id) if audience_id.isdecimal() else None}
        return self._add_users(body, ids, max_ids=_MAX_IDS_IN_FILE)

    def create_from_clicks(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "audiences.json#/$defs/createFromClicks")
        return self._create_from_message("CLICK", body, _CLICKED_FRACTION)

    def create_from_impressions(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "audiences.json#/$defs/createFromImpressions")
        return self._create_from_message("IMP", body, _OPENED_FRACTION)

    def rename(self, request: HttpRequest) -> HttpResponse:
        description = read_body(request, "audiences.json#/$defs/rename")["description"]
        audience = self._audiences.find_writable(audience_id_parameter(request))
        check_description(description)
        audience.description = description
        return HttpResponse({})

    def delete(self, request: HttpRequest) -> HttpResponse:
        self._audiences.delete(audience_id_parameter(request))
        return HttpResponse({})

    def _create(self, body: dict[str, Any], ids: Sequence[str], *, is_ifa: bool, max_ids: int) -> HttpResponse:
        check_description(str(body.get("description", "")))
        known, other_ids = resolve_ids(self._users, ids, is_ifa=is_ifa, max_ids=max_ids)
        audience = self._audiences.create("UPLOAD", body["description"], is_ifa=is_ifa)
        if ids:
            self._audiences.add_users(audience, known, other_ids, body.get("uploadDescription"))
        return HttpResponse(_created(audience), status=202, note=f"{len(known)} users")

    def _add_users(self, body: dict[str, Any], ids: Sequence[str], *, max_ids: int) -> HttpResponse:
        audience = self._audiences.find_writable(body["audienceGroupId"])
        if not ids:
            code = "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS"
            raise AudienceErrorResponse("no valid audience ids", code, "audiences")
        known, other_ids = resolve_ids(self._users, ids, is_ifa=audience.is_ifa, max_ids=max_ids)
        self._audiences.add_users(audience, known, other_ids, body.get("uploadDescription"))
        return HttpResponse({}, status=202, note=f"{len(known)} users")

    def _create_from_message(self, audience_type: str, body: dict[str, Any], fraction: float) -> HttpResponse:
        """Create an audience of a random `fraction` of a message's recipients."""
        check_description(body["description"])
        statistics = self._statistics.of_request(body["requestId"])
        if statistics is None:
            raise AudienceErrorResponse("request not found", "REQUEST_NOT_FOUND", "requestId")
        if self._clock.now() - statistics.sent_at > _MAX_MESSAGE_AGE_SECONDS:
            raise AudienceErrorResponse("too old messages", "TOO_OLD_MESSAGES", "requestId")
        click_url = body.get("clickUrl")
        source = (audience_type, body["requestId"], click_url)
        if any((other.type, other.request_id, other.click_url) == source for other in self._audiences.all()):
            code = "AUDIENCE_GROUP_REQUESTID_DUPLICATE"
            raise AudienceErrorResponse("request id is duplicated", code, "requestId")
        audience = self._audiences.create(
            audience_type, body["description"], request_id=body["requestId"], click_url=click_url
        )
        audience.members = {
            number
            for number in statistics.recipients[:_MAX_SAMPLED_RECIPIENTS]
            if self._random.fraction(audience.id << 64 | number) < fraction
        }
        return HttpResponse(_created(audience), status=202, note=f"{len(audience.members)} users")


def audience_id_parameter(request: HttpRequest) -> int | None:
    """Return the audience id in a request's path; None if it is not a number."""
    text = request.path_parameters["audienceGroupId"]
    return int(text) if text.isdecimal() else None


def _created(audience: Audience) -> dict[str, Any]:
    content = {
        "audienceGroupId": audience.id,
        "createRoute": audience.route,
        "type": audience.type,
        "description": audience.description,
        "created": int(audience.created_at),
        "permission": "READ_WRITE",
        "expireTimestamp": int(audience.expires_at),
        "isIfaAudience": audience.is_ifa,
        "requestId": audience.request_id,
        "clickUrl": audience.click_url,
    }
    return {name: value for name, value in content.items() if value is not None}
