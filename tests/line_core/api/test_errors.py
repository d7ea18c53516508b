"""Responses of LINE become errors, each in one line that names the setting that fixes it."""

from __future__ import annotations

import json

import pytest
import requests

from line_core.api import errors
from line_core.api.response import Response
from line_core.errors import LineError

ENDPOINT = "POST /v2/bot/message/push"


def response_with(status: int, body: object = None, **headers: str) -> Response:
    text = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    return Response(ENDPOINT, status, {"x-line-request-id": "rid-1", **headers}, text)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "The request body has 1 error(s)", errors.InvalidRequestError),
        (401, "Authentication failed", errors.AuthenticationError),
        (403, "Access to this API is not available for your account", errors.NotEntitledError),
        (404, "Not found", errors.NotFoundError),
        (409, "The retry key is already accepted", errors.AlreadyAcceptedError),
        (410, "Gone", errors.NotFoundError),
        (413, "Too large", errors.InvalidRequestError),
        (429, "The API rate limit has been exceeded. Try again later.", errors.RateLimitError),
        (429, "You have reached your monthly limit.", errors.QuotaUsedUpError),
        (429, "some new text", errors.RateLimitError),
        (500, "Internal error", errors.ServerError),
        (503, "", errors.ServerError),
        (302, "", errors.InvalidRequestError),
    ],
)
def test_each_status_has_its_error_and_the_text_separates_the_two_causes_of_429(
    status: int, message: str, error: type[errors.ApiError]
) -> None:
    found = errors.error_from_response(response_with(status, {"message": message}))
    assert type(found) is error
    assert isinstance(found, LineError)
    assert found.status == status
    assert message in str(found)


@pytest.mark.parametrize("status", [200, 202])
def test_a_success_is_not_an_error(status: int) -> None:
    assert errors.error_from_response(response_with(status)) is None


def test_the_text_is_one_line_with_details_endpoint_request_id_and_setting() -> None:
    body = {
        "message": "The request body\nhas 2 error(s)",
        "details": [
            {"message": "May not be empty", "property": "messages[0].text"},
            {"message": "Must be one of"},
            {},
        ],
    }
    error = errors.error_from_response(response_with(401, body), credentials_setting="channel_secret")
    assert str(error) == (
        "LINE does not accept the channel's credentials: The request body has 2 error(s); "
        "messages[0].text: May not be empty; Must be one of "
        "(POST /v2/bot/message/push, status 401, request rid-1) (setting: channel_secret)"
    )
    assert error is not None
    assert error.setting == "channel_secret"
    assert error.details == ("messages[0].text: May not be empty", "Must be one of")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway</html>",
        b"",
        b"[1]",
        {"message": None, "key": None, "stacktrace": None, "code": None},
        {"message": "m", "details": "none"},
    ],
)
def test_error_bodies_of_any_format_are_accepted(body: object) -> None:
    assert isinstance(errors.error_from_response(response_with(400, body)), errors.InvalidRequestError)


def test_the_error_format_of_the_token_endpoints_is_read() -> None:
    error = errors.error_from_response(
        response_with(400, {"error": "invalid_client", "error_description": "invalid client_id"})
    )
    assert "invalid client_id" in str(error)


def test_long_messages_are_truncated() -> None:
    assert len(str(errors.error_from_response(response_with(500, {"message": "x" * 10_000})))) < 500


def test_every_error_has_a_different_default_message() -> None:
    kinds = errors.ApiError.__subclasses__()
    assert len({kind.default_message for kind in kinds}) == len(kinds) >= 10


def test_the_error_about_a_malformed_body_names_endpoint_and_request_id() -> None:
    with pytest.raises(errors.MalformedResponseError, match=r"POST /v2/bot/message/push, status 200, request rid-1"):
        response_with(200, b'{"sentMessages": [').json()
    with pytest.raises(errors.MalformedResponseError, match="expected an object, not list"):
        response_with(200, b"[]").json_object()


def test_header_names_ignore_case() -> None:
    headers = requests.structures.CaseInsensitiveDict({"X-Line-Request-Id": "a", "x-line-accepted-request-id": "b"})
    response = Response(ENDPOINT, 409, headers, b"{}")
    assert (response.request_id, response.accepted_request_id) == ("a", "b")


def test_the_reason_of_a_transport_failure_has_its_cause_and_no_url() -> None:
    with pytest.raises(requests.ConnectionError) as failure:
        requests.get("http://127.0.0.1:1/v2/bot/profile/U0123", timeout=5)
    assert errors.failure_reason(failure.value) == "ConnectionError, Connection refused"


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 407, 429, 502])
def test_an_error_without_a_request_id_is_not_of_line(status: int) -> None:
    page = Response(ENDPOINT, status, {"content-type": "text/html"}, b"<html>Access denied</html>")
    error = errors.error_from_response(page)
    assert isinstance(error, errors.ForeignResponseError)
    assert str(error) == f"a server between here and LINE answered in place of LINE ({ENDPOINT}, status {status})" + (
        " (setting: api_url)" if "setting" in str(error) else ""
    )
