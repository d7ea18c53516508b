"""The endpoint that a request belongs to: LINE counts by it, and errors name it without anybody's id.

Source: LINE Messaging API reference, "Scope of rate limits", and the paths in LINE's OpenAPI description.
"""

from __future__ import annotations

from functools import cache, lru_cache

_TEMPLATES = (
    "/v2/bot/profile/{userId}",
    "/v2/bot/group/{groupId}/summary",
    "/v2/bot/group/{groupId}/members/count",
    "/v2/bot/group/{groupId}/members/ids",
    "/v2/bot/group/{groupId}/member/{userId}",
    "/v2/bot/room/{roomId}/members/count",
    "/v2/bot/room/{roomId}/members/ids",
    "/v2/bot/room/{roomId}/member/{userId}",
    "/v2/bot/message/{messageId}/content",
    "/v2/bot/message/{messageId}/content/preview",
    "/v2/bot/message/{messageId}/content/transcoding",
    "/v2/bot/richmenu/list",
    "/v2/bot/richmenu/batch",
    "/v2/bot/richmenu/validate",
    "/v2/bot/richmenu/alias",
    "/v2/bot/richmenu/alias/list",
    "/v2/bot/richmenu/alias/{richMenuAliasId}",
    "/v2/bot/richmenu/{richMenuId}",
    "/v2/bot/richmenu/{richMenuId}/content",
    "/v2/bot/user/all/richmenu",
    "/v2/bot/user/all/richmenu/{richMenuId}",
    "/v2/bot/user/{userId}/linkToken",
    "/v2/bot/user/{userId}/richmenu",
    "/v2/bot/user/{userId}/richmenu/{richMenuId}",
    "/v2/bot/membership/list",
    "/v2/bot/membership/subscription/{userId}",
    "/v2/bot/membership/{membershipId}/users/ids",
    "/v2/bot/coupon/{couponId}",
    "/v2/bot/coupon/{couponId}/close",
    "/v2/bot/insight/richmenu/{richMenuId}/summary",
    "/v2/bot/insight/richmenu/{richMenuId}/daily",
    "/v2/bot/audienceGroup/list",
    "/v2/bot/audienceGroup/upload",
    "/v2/bot/audienceGroup/click",
    "/v2/bot/audienceGroup/imp",
    "/v2/bot/audienceGroup/shared/list",
    "/v2/bot/audienceGroup/shared/{audienceGroupId}",
    "/v2/bot/audienceGroup/{audienceGroupId}",
    "/v2/bot/audienceGroup/{audienceGroupId}/updateDescription",
)

_ANY = "{}"


class _Node:
    """A segment of the paths, with what may follow it."""

    def __init__(self) -> None:
        self.template: str | None = None
        self.next: dict[str, _Node] = {}


@lru_cache(maxsize=1024)
def endpoint_of(method: str, path: str) -> str:
    """Method and path template of a request, such as `GET /v2/bot/profile/{userId}`.

    A path without parameters, or one that is not known, is its own template.
    """
    return f"{method.upper()} {_find(_tree(), path.strip('/').split('/')) or path}"


@cache
def _tree() -> _Node:
    root = _Node()
    for template in _TEMPLATES:
        node = root
        for segment in template.strip("/").split("/"):
            node = node.next.setdefault(_ANY if segment.startswith("{") else segment, _Node())
        node.template = template
    return root


def _find(node: _Node, segments: list[str]) -> str | None:
    if not segments:
        return node.template
    for key in (segments[0], _ANY):
        if (following := node.next.get(key)) and (template := _find(following, segments[1:])):
            return template
    return None
