"""Classification of LINE's responses to send requests. Pure.

Source: LINE Messaging API reference, "Status codes", "Rate limits", "Retry failed API requests". LINE recommends to use
the status code only; the two kinds of 429 differ only in their text.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from line_core.api.errors import (
    AuthenticationError,
    NotEntitledError,
    NotFoundError,
    QuotaUsedUpError,
    RateLimitError,
    ServerError,
    error_from_response,
)

if TYPE_CHECKING:
    from line_core.api.errors import ApiError
    from line_core.api.response import Response
    from line_core.errors import LineError


@dataclass(frozen=True, slots=True)
class AcceptedByLine:
    """LINE has accepted the request, at this attempt or an earlier one."""

    request_id: str | None


@dataclass(frozen=True, slots=True)
class RejectedByLine:
    """LINE rejects the request, and would reject it again."""

    reason: str
    """LINE's reason text."""
    is_content_error: bool = False
    """Whether LINE rejects the message objects, independent of the recipients."""


@dataclass(frozen=True, slots=True)
class NotAcceptedYet:
    """LINE has not accepted the request. It can be sent again after a pause."""

    error: LineError


@dataclass(frozen=True, slots=True)
class PossiblyAccepted:
    """LINE may have accepted the request. Only a further attempt with the same retry key can show it."""

    error: LineError


@dataclass(frozen=True, slots=True)
class SendingImpossible:
    """LINE has not accepted the request, and would accept no other request either."""

    error: LineError


# LINE's send endpoints always exist: a 404 comes from another server, for example because api_url is wrong.
_STOP_ERRORS = (AuthenticationError, NotEntitledError, NotFoundError, QuotaUsedUpError)

SendResponse = AcceptedByLine | RejectedByLine | NotAcceptedYet | PossiblyAccepted | SendingImpossible


def classify_response(response: Response) -> SendResponse:
    """Classify the response to a push, multicast, narrowcast or broadcast request with a retry key."""
    if response.status == HTTPStatus.CONFLICT:
        return AcceptedByLine(response.accepted_request_id or response.request_id)
    error = error_from_response(response)
    if error is None:
        return AcceptedByLine(response.request_id)
    if isinstance(error, ServerError):
        return PossiblyAccepted(error)
    if isinstance(error, RateLimitError):
        return NotAcceptedYet(error)
    if isinstance(error, _STOP_ERRORS):
        return SendingImpossible(error)
    is_content_error = any(detail.startswith("messages") for detail in error.details)
    return RejectedByLine(rejection_reason(error), is_content_error)


def rejection_reason(error: ApiError) -> str:
    """Return LINE's message and details as one text."""
    return error.reason_with_details or f"status {error.status}"
