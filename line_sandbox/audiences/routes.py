"""Audiences.

Source: LINE Messaging API reference, "Managing Audience".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_sandbox.audiences.members import read_file, sort_ids
from line_sandbox.audiences.state import check_name
from line_sandbox.foundation.api_errors import AudienceRefusal
from line_sandbox.server.http import Reply, Request
from line_sandbox.server.request_bodies import read_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.audiences.state import Audience
    from line_sandbox.platform import Platform
    from line_sandbox.server.routing import Router

_MAX_JSON_IDS = 10_000
_MAX_FILE_IDS = 1_500_000
_OLDEST_MESSAGE_SECONDS = 60 * 24 * 3600
_MOST_DRAWN = 100_000
_TAPPED_SHARE = 0.2
_OPENED_SHARE = 0.6


def add_endpoints(router: Router, platform: Platform) -> None:
    """Serve a platform."""
    endpoints = _Audiences(platform)
    router.add("POST /v2/bot/audienceGroup/upload", endpoints.create)
    router.add("PUT /v2/bot/audienceGroup/upload", endpoints.add)
    router.add("POST /v2/bot/audienceGroup/upload/byFile", endpoints.create_by_file, takes_file=True)
    router.add("PUT /v2/bot/audienceGroup/upload/byFile", endpoints.add_by_file, takes_file=True)
    router.add("POST /v2/bot/audienceGroup/click", endpoints.create_of_clicks)
    router.add("POST /v2/bot/audienceGroup/imp", endpoints.create_of_impressions)
    router.add("PUT /v2/bot/audienceGroup/{audienceGroupId}/updateDescription", endpoints.rename)
    router.add("DELETE /v2/bot/audienceGroup/{audienceGroupId}", endpoints.delete)


class _Audiences:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._audiences = platform.audiences

    def create(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/createAudience")
        line_ids = [audience["id"] for audience in body.get("audiences", [])]
        return self._create(body, line_ids, is_ifa=body.get("isIfaAudience", False), most=_MAX_JSON_IDS)

    def create_by_file(self, request: Request) -> Reply:
        fields, line_ids = read_file(request)
        is_ifa = fields.get("isIfaAudience", "").lower() == "true"
        return self._create(fields, line_ids, is_ifa=is_ifa, most=_MAX_FILE_IDS)

    def add(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/addToAudience")
        return self._add(body, [audience["id"] for audience in body["audiences"]], most=_MAX_JSON_IDS)

    def add_by_file(self, request: Request) -> Reply:
        fields, line_ids = read_file(request)
        number = fields.get("audienceGroupId", "")
        body = fields | {"audienceGroupId": int(number) if number.isdecimal() else None}
        return self._add(body, line_ids, most=_MAX_FILE_IDS)

    def create_of_clicks(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/clickAudience")
        return self._create_of_message("CLICK", body, _TAPPED_SHARE)

    def create_of_impressions(self, request: Request) -> Reply:
        body = read_body(request, "requests.json#/$defs/impressionAudience")
        return self._create_of_message("IMP", body, _OPENED_SHARE)

    def rename(self, request: Request) -> Reply:
        name = read_body(request, "requests.json#/$defs/audienceName")["description"]
        audience = self._audiences.find_own(audience_number(request))
        check_name(name)
        audience.description = name
        return Reply({})

    def delete(self, request: Request) -> Reply:
        self._audiences.delete(audience_number(request))
        return Reply({})

    def _create(self, body: dict[str, Any], line_ids: Sequence[str], *, is_ifa: bool, most: int) -> Reply:
        check_name(str(body.get("description", "")))
        people, others = sort_ids(self._platform.users, line_ids, is_ifa=is_ifa, most=most)
        audience = self._audiences.create("UPLOAD", body["description"], is_ifa=is_ifa)
        if line_ids:
            self._audiences.add_people(audience, people, others, body.get("uploadDescription"))
        return Reply(_created(audience), status=202, note=f"{len(people)} people")

    def _add(self, body: dict[str, Any], line_ids: Sequence[str], *, most: int) -> Reply:
        audience = self._audiences.find_own(body["audienceGroupId"])
        if not line_ids:
            raise AudienceRefusal("no valid audience ids", "UPLOAD_AUDIENCE_GROUP_NO_VALID_AUDIENCE_IDS", "audiences")
        people, others = sort_ids(self._platform.users, line_ids, is_ifa=audience.is_ifa, most=most)
        self._audiences.add_people(audience, people, others, body.get("uploadDescription"))
        return Reply({}, status=202, note=f"{len(people)} people")

    def _create_of_message(self, kind: str, body: dict[str, Any], share: float) -> Reply:
        check_name(body["description"])
        statistics = self._platform.statistics.of_request(body["requestId"])
        if statistics is None:
            raise AudienceRefusal("request not found", "REQUEST_NOT_FOUND", "requestId")
        if self._platform.clock.now() - statistics.sent_at > _OLDEST_MESSAGE_SECONDS:
            raise AudienceRefusal("too old messages", "TOO_OLD_MESSAGES", "requestId")
        audience = self._audiences.create(
            kind, body["description"], request_id=body["requestId"], click_url=body.get("clickUrl")
        )
        draw = self._platform.chance.share
        audience.people = {
            number for number in statistics.recipients[:_MOST_DRAWN] if draw(audience.number << 64 | number) < share
        }
        return Reply(_created(audience), status=202, note=f"{len(audience.people)} people")


def audience_number(request: Request) -> int | None:
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
