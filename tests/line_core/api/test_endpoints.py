"""Each path that the programs request belongs to an endpoint of the table."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tap_line
import target_line
from line_core.api.endpoints import PATH_TEMPLATES, UnknownEndpointError, endpoint_of
from line_core.api.rate_limit.table import RATE_LIMITS, rate_limit_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

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
    ],
)
def test_an_endpoint_is_method_and_path_template(method: str, path: str, endpoint: str) -> None:
    assert endpoint_of(method, path) == endpoint


def test_every_endpoint_with_a_rate_limit_is_in_the_table() -> None:
    for endpoint in RATE_LIMITS:
        method, template = endpoint.split(" ")
        path = "/".join("x1" if part.startswith("{") else part for part in template.split("/"))
        assert endpoint_of(method, path) == endpoint


def test_an_unknown_path_is_an_error() -> None:
    with pytest.raises(UnknownEndpointError, match="GET /v2/bot/something/new"):
        endpoint_of("GET", "/v2/bot/something/new")


def test_insights_have_sixty_calls_an_hour_and_endpoints_without_a_limit_of_their_own_two_thousand_a_second() -> None:
    assert rate_limit_of("GET /v2/bot/insight/followers") == (60, 3600)
    assert rate_limit_of("GET /v2/bot/profile/{userId}") == (2000, 1)
    assert rate_limit_of("GET /v2/bot/membership/{membershipId}/users/ids") == (200, 1)


def paths_in(package: ModuleType) -> Iterator[tuple[str, str, bool]]:
    """Yield each path of LINE in a package's string literals: file and line, text, and whether the text is complete.

    In the text of an f-string `{}` replaces each expression; another path may begin with it.
    """
    root = Path(str(package.__file__)).parent
    for file in sorted(root.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        formatted = [node for node in nodes if isinstance(node, ast.JoinedStr)]
        parts = {id(part) for node in formatted for part in node.values}
        texts: list[tuple[ast.expr, str, bool]] = [
            (node, "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values), False)
            for node in formatted
        ]
        texts += [
            (node, node.value, True)
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ]
        for node, text, is_complete in texts:
            if text.startswith("/v2/"):
                yield f"{file.relative_to(root.parent)}:{node.lineno}", text, is_complete


def is_in_table(path: str, *, is_complete: bool) -> bool:
    segments = path.split("/")
    for template in PATH_TEMPLATES:
        expected = template.split("/")
        fits = all("{" in segment or segment == other for segment, other in zip(segments, expected, strict=False))
        if fits and (len(segments) == len(expected) or (not is_complete and len(segments) < len(expected))):
            return True
    return False


@pytest.mark.parametrize("package", [tap_line, target_line], ids=["tap_line", "target_line"])
def test_every_path_that_the_programs_request_is_in_the_table(package: ModuleType) -> None:
    paths = list(paths_in(package))
    assert len(paths) > 5
    missing = {place: path for place, path, is_complete in paths if not is_in_table(path, is_complete=is_complete)}
    assert not missing, "add these paths to line_core/api/endpoints.py"
