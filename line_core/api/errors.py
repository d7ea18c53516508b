"""What LINE's API can answer instead of what was asked for, in one tree.

A class's docstring is its default message. Every text is one line that names the endpoint and LINE's request id, and
never a token, a secret or a person's id.

Source: LINE Messaging API reference, "Status codes", "Error responses"; guide "Channel access token" for the token
endpoints.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Self

from line_core.errors import LineError

if TYPE_CHECKING:
    from line_core.api.response import Response

_WORDS_LENGTH = 300
_MONTHLY_LIMIT = "monthly limit"


class ApiError(LineError):
    """LINE gave an answer that cannot be used."""

    default_setting: ClassVar[str | None] = None

    def __init__(  # noqa: PLR0913 - the parts of one answer, all by name
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
        """Say which endpoint answered what.

        Args:
            endpoint: Method and path template, such as `GET /v2/bot/profile/{userId}`.
            message: What happened; default the class's docstring.
            reason: LINE's own words, or the transport's.
            status: HTTP status, if there was an answer.
            request_id: LINE's `x-line-request-id`, if there was an answer.
            details: LINE's details, each `property: message`.
            setting: The setting that mends it; default the class's.
        """
        self.endpoint = endpoint
        self.status = status
        self.request_id = request_id
        self.reason = reason
        self.details = details
        text = message or (type(self).__doc__ or "").partition("\n")[0].rstrip(".")
        said = "; ".join(part for part in (reason, *details) if part)
        place = [endpoint]
        if status is not None:
            place.append(f"status {status}")
        if request_id:
            place.append(f"request {request_id}")
        super().__init__(
            _one_line(f"{text}: {said}" if said else text) + f" ({', '.join(place)})",
            setting=setting or self.default_setting,
        )

    @classmethod
    def from_response(cls, reply: Response, *, message: str | None = None, setting: str | None = None) -> Self:
        """Make the error from LINE's answer."""
        reason, details = _said(reply.body)
        return cls(
            reply.endpoint,
            message=message,
            reason=reason,
            status=reply.status,
            request_id=reply.request_id,
            details=details,
            setting=setting,
        )


class UnreachableError(ApiError):
    """LINE cannot be reached."""

    default_setting = "api_url"

    def __init__(self, endpoint: str, *, reason: str, may_have_arrived: bool) -> None:
        """Say what the transport said.

        Args:
            endpoint: Method and path template.
            reason: The transport's words.
            may_have_arrived: Whether LINE may have got the request and acted on it.
        """
        super().__init__(endpoint, reason=reason)
        self.may_have_arrived = may_have_arrived


class MalformedResponseError(ApiError):
    """LINE's answer is not the JSON that it documents."""

    default_setting = "api_url"


class AuthenticationError(ApiError):
    """LINE does not accept the channel's credentials."""

    default_setting = "channel_access_token"


class NotEntitledError(ApiError):
    """LINE does not give this call to this account."""


class InvalidRequestError(ApiError):
    """LINE refuses the request as invalid."""


class NotFoundError(ApiError):
    """LINE does not know what was asked for."""


class AlreadyAcceptedError(ApiError):
    """LINE has accepted a request under this retry key before."""


class RateLimitError(ApiError):
    """LINE's rate limit of the endpoint is exceeded."""

    default_setting = "max_requests_per_second"


class QuotaUsedUpError(ApiError):
    """The account's monthly quota of messages is used up."""


class ServerError(ApiError):
    """LINE failed to answer the request."""


_BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: NotEntitledError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.GONE: NotFoundError,
    HTTPStatus.CONFLICT: AlreadyAcceptedError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitError,
}


def error_from_response(reply: Response, *, credentials_setting: str | None = None) -> ApiError | None:
    """The error that an answer stands for, None if it is a success.

    LINE answers 429 for a rate limit and for a used-up quota, and only the text tells them apart.

    Args:
        reply: LINE's answer.
        credentials_setting: The setting that the request's token came from, to name it when LINE refuses the token.
    """
    if reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError.from_response(reply)
    kind = _BY_STATUS.get(reply.status, InvalidRequestError)
    if kind is RateLimitError and _MONTHLY_LIMIT in _said(reply.body)[0].lower():
        kind = QuotaUsedUpError
    return kind.from_response(reply, setting=credentials_setting if kind is AuthenticationError else None)


def failure_reason(failure: BaseException) -> str:
    """A transport failure in a few words; the libraries' own texts repeat URLs, with people's ids in them."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return f"{type(failure).__name__}, {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return type(failure).__name__


def _said(body: bytes) -> tuple[str, tuple[str, ...]]:
    """LINE's words and details; tolerant, since error bodies are not guaranteed and proxies send their own."""
    try:
        answer = json.loads(body)
    except ValueError:
        return "", ()
    if not isinstance(answer, dict):
        return "", ()
    words = answer.get("message") or answer.get("error_description") or answer.get("error")
    details = answer.get("details")
    told = [_detail(detail) for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
    return str(words or ""), tuple(text for text in told if text)


def _detail(detail: dict[str, Any]) -> str:
    return ": ".join(str(detail[key]) for key in ("property", "message") if detail.get(key))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WORDS_LENGTH else line[:_WORDS_LENGTH] + "…"
