"""Audiences.

Source: LINE Messaging API reference, "Managing Audience".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.audiences.members import read_file, sort_ids
from line_sandbox.audiences.state import check_name
from line_sandbox.foundation.api_errors import AudienceErrorResponse
from line_sandbox.http.bodies import read_body
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.audiences.state import Audience, Audiences
    from line_sandbox.foundation.clock import Clock
    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.insight.statistics import Statistics
    from line_sandbox.users.state import Users

_MAX_JSON_IDS = 10_000
_MAX_FILE_IDS = 1_500_000
_OLDEST_MESSAGE_SECONDS = 60 * 24 * 3600
_MOST_DRAWN = 100_000
_TAPPED_SHARE = 0.2
_OPENED_SHARE = 0.6


def add_routes(  # noqa: PLR0913 - each dependency by keyword
    router: Router, *, audiences: Audiences, clock: Clock, random: SeededRandom, statistics: Statistics, users: Users
) -> None:
    """Add the routes of this module."""
    endpoints = _Audiences(audiences=audiences, clock=clock, random=random, statistics=statistics, users=users)
    router.add("POST /v2/bot/audienceGroup/upload", endpoints.create)
    router.add("PUT /v2/bot/audienceGroup/upload", endpoints.add)
    router.add("POST /v2/bot/audienceGroup/upload/byFile", endpoints.create_by_file, accepts_file=True)
    router.add("PUT /v2/bot/audienceGroup/upload/byFile", endpoints.add_by_file, accepts_file=True)
    router.add("POST /v2/bot/audienceGroup/click", endpoints.create_of_clicks)
    router.add("POST /v2/bot/audienceGroup/imp", endpoints.create_of_impressions)
    router.add("PUT /v2/bot/audienceGroup/{audienceGroupId}/updateDescription", endpoints.rename)
    router.add("DELETE /v2/bot/audienceGroup/{audienceGroupId}", endpoints.delete)


class _Audiences:
    def __init__(
        self, *, audiences: Audiences, clock: Clock, random: SeededRandom, statistics: Statistics, users: Users
    ) -> None:
        self._audiences = audiences
        self._clock = clock
        self._random = random
        self._statistics = statistics
        self._users = users

    def create(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/createAudience")
        line_ids = [audience["id"] for audience in body.get("audiences", [])]
        return self._create(body, line_ids, is_ifa=body.get("isIfaAudience", False), most=_MAX_JSON_IDS)

    def create_by_file(self, request: HttpRequest) -> HttpResponse:
        fields, line_ids = read_file(request)
        is_ifa = fields.get("isIfaAudience", "").lower() == "true"
        return self._create(fields, line_ids, is_ifa=is_ifa, most=_MAX_FILE_IDS)

    def add(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/addToAudience")
        return self._add(body, [audience["id"] for audience in body["audiences"]], most=_MAX_JSON_IDS)

    def add_by_file(self, request: HttpRequest) -> HttpResponse:
        fields, line_ids = read_file(request)
        number = fields.get("audienceGroupId", "")
        body = fields | {"audienceGroupId": int(number) if number.isdecimal() else None}
        return self._add(body, line_ids, most=_MAX_FILE_IDS)

    def create_of_clicks(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/clickAudience")
        return self._create_of_message("CLICK", body, _TAPPED_SHARE)

    def create_of_impressions(self, request: HttpRequest) -> HttpResponse:
        body = read_body(request, "requests.json#/$defs/impressionAudience")
        return self._create_of_message("IMP", body, _OPENED_SHARE)

    def rename(self, request: HttpRequest) -> HttpResponse:
        name = read_body(request, "requests.json#/$defs/audienceName")["description"]
        audience = self._audiences.find_own(audience_number(request))
        check_name(name)
        audience.description = name
        return HttpResponse({})

    def delete(self, request: HttpRequest) -> HttpResponse:
        self._audiences.delete(audience_number(request))
        return HttpResponse({})

    def _create(self, body: dict[str, Any], line_ids: Sequence[str], *, is_ifa: bool, most: int) -> HttpResponse:
        check_name(str(body.get("description", "")))
        people, others = sort_ids(self._users, line_ids, is_ifa=is_ifa, most=most)
        audience = self._audiences.create("UPLOAD", body["description"], is_ifa=is_ifa)
        if line_ids:
            self._audiences.add_people(audience, people, others, body.get("uploadDescription"))
        return HttpResponse(_created(audience), status=202, note=f"{len(people)} people")

    def _add(self, body: dict[str, Any], line_ids: Sequence[str], *, most: int) -> HttpResponse:
        audience = self._audiences.find_own(body["audienceGroupId"])
        if not line_ids:
            raise AudienceErrorResponse(
                "no valid audience ids", "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS", "audiences"
            )
        people, others = sort_ids(self._users, line_ids, is_ifa=audience.is_ifa, most=most)
        self._audiences.add_people(audience, people, others, body.get("uploadDescription"))
        return HttpResponse({}, status=202, note=f"{len(people)} people")

    def _create_of_message(self, kind: str, body: dict[str, Any], share: float) -> HttpResponse:
        check_name(body["description"])
        statistics = self._statistics.of_request(body["requestId"])
        if statistics is None:
            raise AudienceErrorResponse("request not found", "REQUEST_NOT_FOUND", "requestId")
        if self._clock.now() - statistics.sent_at > _OLDEST_MESSAGE_SECONDS:
            raise AudienceErrorResponse("too old messages", "TOO_OLD_MESSAGES", "requestId")
        audience = self._audiences.create(
            kind, body["description"], request_id=body["requestId"], click_url=body.get("clickUrl")
        )
        draw = self._random.fraction
        audience.people = {
            number for number in statistics.recipients[:_MOST_DRAWN] if draw(audience.number << 64 | number) < share
        }
        return HttpResponse(_created(audience), status=202, note=f"{len(audience.people)} people")


def audience_number(request: HttpRequest) -> int | None:
    """The audience id in a request's path; None if it is no number."""
    text = request.path_parameters["audienceGroupId"]
    return int(text) if text.isdecimal() else None


def _created(audience: Audience) -> dict[str, Any]:
    told = {
        "audienceGroupId": audience.number,
        "createRoute": audience.route,
        "type": audience.kind,
        "description": audience.description,
        "created": int(audience.created),
        "permission": "READ_WRITE",
        "expireTimestamp": int(audience.ends_at),
        "isIfaAudience": audience.is_ifa,
        "requestId": audience.request_id,
        "clickUrl": audience.click_url,
    }
    return {name: value for name, value in told.items() if value is not None}
