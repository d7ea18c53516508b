"""The endpoints of LINE's API, as path templates.

LINE's rate limits count per endpoint, and error texts name the endpoint instead of a path with somebody's LINE ID.

Source: LINE Messaging API reference, "Rate limits", and the paths in LINE's OpenAPI description.
"""

from __future__ import annotations

from functools import cache

from line_core.api.path_templates import PathTemplates

PATH_TEMPLATES = (
    "/oauth2/v2.1/token",
    "/oauth2/v3/token",
    "/v2/bot/audienceGroup/click",
    "/v2/bot/audienceGroup/imp",
    "/v2/bot/audienceGroup/list",
    "/v2/bot/audienceGroup/shared/list",
    "/v2/bot/audienceGroup/shared/{audienceGroupId}",
    "/v2/bot/audienceGroup/upload",
    "/v2/bot/audienceGroup/upload/byFile",
    "/v2/bot/audienceGroup/{audienceGroupId}",
    "/v2/bot/audienceGroup/{audienceGroupId}/updateDescription",
    "/v2/bot/channel/webhook/endpoint",
    "/v2/bot/channel/webhook/test",
    "/v2/bot/chat/loading/start",
    "/v2/bot/coupon",
    "/v2/bot/coupon/{couponId}",
    "/v2/bot/coupon/{couponId}/close",
    "/v2/bot/followers/ids",
    "/v2/bot/group/{groupId}/member/{userId}",
    "/v2/bot/group/{groupId}/members/count",
    "/v2/bot/group/{groupId}/members/ids",
    "/v2/bot/group/{groupId}/summary",
    "/v2/bot/info",
    "/v2/bot/insight/demographic",
    "/v2/bot/insight/followers",
    "/v2/bot/insight/message/delivery",
    "/v2/bot/insight/message/event",
    "/v2/bot/insight/message/event/aggregation",
    "/v2/bot/insight/richmenu/{richMenuId}/daily",
    "/v2/bot/insight/richmenu/{richMenuId}/summary",
    "/v2/bot/list",
    "/v2/bot/membership/list",
    "/v2/bot/membership/subscription/{userId}",
    "/v2/bot/membership/{membershipId}/users/ids",
    "/v2/bot/message/aggregation/info",
    "/v2/bot/message/aggregation/list",
    "/v2/bot/message/broadcast",
    "/v2/bot/message/delivery/broadcast",
    "/v2/bot/message/delivery/multicast",
    "/v2/bot/message/delivery/pnp",
    "/v2/bot/message/delivery/push",
    "/v2/bot/message/delivery/reply",
    "/v2/bot/message/multicast",
    "/v2/bot/message/narrowcast",
    "/v2/bot/message/progress/narrowcast",
    "/v2/bot/message/push",
    "/v2/bot/message/quota",
    "/v2/bot/message/quota/consumption",
    "/v2/bot/message/reply",
    "/v2/bot/message/validate/broadcast",
    "/v2/bot/message/validate/multicast",
    "/v2/bot/message/validate/narrowcast",
    "/v2/bot/message/validate/push",
    "/v2/bot/message/validate/reply",
    "/v2/bot/message/{messageId}/content",
    "/v2/bot/message/{messageId}/content/preview",
    "/v2/bot/message/{messageId}/content/transcoding",
    "/v2/bot/profile/{userId}",
    "/v2/bot/richmenu",
    "/v2/bot/richmenu/alias",
    "/v2/bot/richmenu/alias/list",
    "/v2/bot/richmenu/alias/{richMenuAliasId}",
    "/v2/bot/richmenu/batch",
    "/v2/bot/richmenu/list",
    "/v2/bot/richmenu/progress/batch",
    "/v2/bot/richmenu/validate",
    "/v2/bot/richmenu/{richMenuId}",
    "/v2/bot/richmenu/{richMenuId}/content",
    "/v2/bot/room/{roomId}/member/{userId}",
    "/v2/bot/room/{roomId}/members/count",
    "/v2/bot/room/{roomId}/members/ids",
    "/v2/bot/user/all/richmenu",
    "/v2/bot/user/all/richmenu/{richMenuId}",
    "/v2/bot/user/{userId}/linkToken",
    "/v2/bot/user/{userId}/richmenu",
    "/v2/bot/user/{userId}/richmenu/{richMenuId}",
    "/v2/oauth/accessToken",
)


class UnknownEndpointError(LookupError):
    """A path that no template matches: a defect of the program, which would call LINE without its rate limit."""


def endpoint_of(method: str, path: str) -> str:
    """Return method and path template of a request, such as `GET /v2/bot/profile/{userId}`.

    Raises:
        UnknownEndpointError: `PATH_TEMPLATES` has no template of the path.
    """
    match = _templates().match(path)
    if match is None:
        raise UnknownEndpointError(f"{method} {path} is not in line_core/api/endpoints.py")
    return f"{method.upper()} {match.value}"


@cache
def _templates() -> PathTemplates[str]:
    templates: PathTemplates[str] = PathTemplates()
    for template in PATH_TEMPLATES:
        templates.setdefault(template, template)
    return templates
