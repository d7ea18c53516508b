"""Requests belong to endpoints: LINE counts by them, and errors name them without anybody's id."""

from __future__ import annotations

import pytest

from line_core.api.endpoints import endpoint_of
from line_core.api.rate_limit.table import RATE_LIMITS, rate_limit_of

USER = "U0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [
        ("GET", f"/v2/bot/profile/{USER}", "GET /v2/bot/profile/{userId}"),
        ("get", f"/v2/bot/user/{USER}/richmenu", "GET /v2/bot/user/{userId}/richmenu"),
        ("GET", "/v2/bot/user/all/richmenu", "GET /v2/bot/user/all/richmenu"),
        ("GET", "/v2/bot/richmenu/list", "GET /v2/bot/richmenu/list"),
        ("GET", "/v2/bot/richmenu/richmenu-1", "GET /v2/bot/richmenu/{richMenuId}"),
        ("GET", "/v2/bot/richmenu/alias/list", "GET /v2/bot/richmenu/alias/list"),
        ("DELETE", "/v2/bot/richmenu/alias/a", "DELETE /v2/bot/richmenu/alias/{richMenuAliasId}"),
        ("GET", "/v2/bot/audienceGroup/shared/list", "GET /v2/bot/audienceGroup/shared/list"),
        ("GET", "/v2/bot/audienceGroup/shared/7", "GET /v2/bot/audienceGroup/shared/{audienceGroupId}"),
        ("GET", "/v2/bot/insight/richmenu/r/daily", "GET /v2/bot/insight/richmenu/{richMenuId}/daily"),
        ("POST", "/v2/bot/message/push", "POST /v2/bot/message/push"),
        ("GET", "/v2/bot/something/new", "GET /v2/bot/something/new"),
    ],
)
def test_a_request_belongs_to_its_path_template(method: str, path: str, endpoint: str) -> None:
    assert endpoint_of(method, path) == endpoint


def test_every_limited_endpoint_is_found_from_a_real_path() -> None:
    for endpoint in RATE_LIMITS:
        method, template = endpoint.split(" ")
        path = "/".join("x1" if part.startswith("{") else part for part in template.split("/"))
        assert endpoint_of(method, path) == endpoint


def test_insights_have_sixty_calls_an_hour_and_what_is_not_listed_two_thousand_a_second() -> None:
    assert rate_limit_of("GET /v2/bot/insight/followers") == (60, 3600)
    assert rate_limit_of("GET /v2/bot/profile/{userId}") == (2000, 1)
