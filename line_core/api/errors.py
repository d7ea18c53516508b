"""Errors of LINE's API, in one tree.

Every text is one line that names the endpoint and LINE's request id. It never has a token, a secret or a LINE ID.

Source: LINE Messaging API reference, "Status codes", "Error responses"; guide "Channel access token" for the token
endpoints.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from line_core.errors import LineError
from line_core.ids import without_line_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_TEXT_LENGTH = 300
_MONTHLY_LIMIT = "monthly limit"
_OAUTH_PATH = "/oauth"


class _Response(Protocol):
    """The parts of a response that errors use; see `line_core.api.response.Response`."""

    @property
    def endpoint(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def request_id(self) -> str | None: ...


class ApiError(LineError):
    """A request to LINE failed."""

    default_message: ClassVar[str] = "The request to LINE failed"
    default_setting: ClassVar[str | None] = None

    def __init__(  # noqa: PLR0913 - the parts of one response, all by name
        self,
        endpoint: str,
        *,
        message: str | None = None,
        reason: str = "",
        status: int | None = None,
        request_id: str | None = None,
        details: tuple[str, ...] = (),
        setting: str | None = None,
    ) -> None:
        """Compose the text.

        Args:
            endpoint: Method and path template, such as `GET /v2/bot/profile/{userId}`.
            message: The failure; by default the class's `default_message`.
            reason: LINE's error message, or the reason of a transport failure.
            status: HTTP status, if there was a response.
            request_id: LINE's `x-line-request-id`, if there was a response.
            details: LINE's error details, each as `property: message`.
            setting: Name of the setting that fixes the error; by default the class's `default_setting`.
        """
        self.endpoint = endpoint
        self.status = status
        self.request_id = request_id
        self.reason = reason
        self.details = details
        text = ": ".join(part for part in (message or self.default_message, self.reason_with_details) if part)
        origin = [endpoint]
        if status is not None:
            origin.append(f"status {status}")
        if request_id:
            origin.append(f"request {request_id}")
        super().__init__(
            f"{_one_line(without_line_ids(text))} ({', '.join(origin)})", setting=setting or self.default_setting
        )

    @classmethod
    def from_response(cls, response: _Response, *, message: str | None = None, setting: str | None = None) -> Self:
        """Create the error from LINE's response."""
        reason, details = _read_error_body(response.body)
        return cls(
            response.endpoint,
            message=message,
            reason=reason,
            status=response.status,
            request_id=response.request_id,
            details=details,
            setting=setting,
        )

    @property
    def reason_with_details(self) -> str:
        """LINE's error message and its details, separated by semicolons."""
        return "; ".join(part for part in (self.reason, *self.details) if part)


class UnreachableError(ApiError):
    """The connection to LINE failed or timed out."""

    default_message = "LINE cannot be reached"
    default_setting = "api_url"

    def __init__(self, endpoint: str, *, reason: str, may_have_arrived: bool) -> None:
        """Compose the text.

        Args:
            endpoint: Method and path template.
            reason: The reason of the transport failure.
            may_have_arrived: Whether LINE may have received the request and acted on it.
        """
        super().__init__(endpoint, reason=reason)
        self.may_have_arrived = may_have_arrived


class MalformedResponseError(ApiError):
    """The body of a successful response is not the documented JSON."""

    default_message = "LINE's response is not the JSON that it documents"
    default_setting = "api_url"


class AuthenticationError(ApiError):
    """Status 401, or a token endpoint refused the credentials."""

    default_message = "LINE does not accept the channel's credentials"
    default_setting = "channel_access_token"


class NotEntitledError(ApiError):
    """Status 403."""

    default_message = "LINE does not allow this call for this account"


class InvalidRequestError(ApiError):
    """Status 400 and other statuses below 500 without a more specific error class."""

    default_message = "LINE refuses the request as invalid"


class NotFoundError(ApiError):
    """Status 404 or 410."""

    default_message = "LINE does not know the requested resource"


class AlreadyAcceptedError(ApiError):
    """Status 409: LINE accepted an earlier request with the same retry key."""

    default_message = "LINE has already accepted a request with this retry key"


class RateLimitError(ApiError):
    """Status 429 without the text of a used-up quota."""

    default_message = "LINE's rate limit of the endpoint is exceeded"
    default_setting = "max_requests_per_second"


class QuotaUsedUpError(ApiError):
    """Status 429 with the text of a used-up quota."""

    default_message = "The account's monthly message quota is used up"


class ForeignResponseError(ApiError):
    """An error response without LINE's request id: a proxy or CDN sent it, and LINE may have got the request."""

    default_message = "a server between here and LINE answered in place of LINE"
    default_setting = "api_url"


class ServerError(ApiError):
    """Status 500 or above."""

    default_message = "LINE failed to process the request"


_ERRORS_BY_STATUS: Mapping[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: NotEntitledError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.GONE: NotFoundError,
    HTTPStatus.CONFLICT: AlreadyAcceptedError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitError,
}


def error_from_response(response: _Response, *, credentials_setting: str | None = None) -> ApiError | None:
    """Return the error that a response reports; None if it is a success.

    LINE's responses have a request id. An error without one is a `ForeignResponseError`, whatever its status; the token
    endpoints are excepted, since LINE documents no headers for them.

    LINE uses status 429 for a rate limit and for a used-up quota. Only the text of the response differs.

    Args:
        response: LINE's response.
        credentials_setting: Name of the setting that the request's token came from, for AuthenticationError.
    """
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if not response.request_id and _OAUTH_PATH not in response.endpoint:
        return ForeignResponseError(response.endpoint, status=response.status)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError.from_response(response)
    kind = _ERRORS_BY_STATUS.get(response.status, InvalidRequestError)
    if kind is RateLimitError and _MONTHLY_LIMIT in _read_error_body(response.body)[0].lower():
        kind = QuotaUsedUpError
    return kind.from_response(response, setting=credentials_setting if kind is AuthenticationError else None)


def failure_reason(failure: BaseException) -> str:
    """Return a short reason for a transport failure, without the URL: URLs may have LINE IDs."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(failure).__name__}, {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(failure).__name__


def _read_error_body(body: bytes) -> tuple[str, tuple[str, ...]]:
    """Return message and details of an error body; empty if it has another format, as the responses of proxies have."""
    try:
        content = json.loads(body)
    except ValueError:
        return "", ()
    if not isinstance(content, dict):
        return "", ()
    message = content.get("message") or content.get("error_description") or content.get("error")
    details = content.get("details")
    texts = [_detail(detail) for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
    return str(message or ""), tuple(text for text in texts if text)


def _detail(detail: dict[str, Any]) -> str:
    return ": ".join(str(detail[key]) for key in ("property", "message") if detail.get(key))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TEXT_LENGTH else line[:_MAX_TEXT_LENGTH] + "…"
