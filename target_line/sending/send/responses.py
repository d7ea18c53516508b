"""Classification of LINE's responses to send requests. Pure.

Source: LINE Messaging API reference, "Status codes", "Response headers", "Rate limits", "Retry failed API requests",
and the error responses of each send method. LINE recommends to use the status code only; the two kinds of 429, and
whether a 400 is about the content or a recipient, differ only in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from line_core.api.errors import (
    AuthenticationError,
    ForeignResponseError,
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
    """Whether LINE rejects the message objects or an option, independent of the recipients."""


@dataclass(frozen=True, slots=True)
class NotAcceptedYet:
    """LINE has not accepted the request. It can be sent again after a pause."""

    error: ApiError


@dataclass(frozen=True, slots=True)
class PossiblyAccepted:
    """LINE may have accepted the request. Only a further attempt with the same retry key can show it."""

    error: ApiError


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """LINE refuses this request, this send method, or all requests of the account. Other requests show which."""

    error: ApiError


@dataclass(frozen=True, slots=True)
class AboveQuota:
    """The rest of the monthly quota does not suffice for the request. It may suffice for a smaller one."""

    error: QuotaUsedUpError


@dataclass(frozen=True, slots=True)
class SendingImpossible:
    """LINE has not accepted the request, and would accept no other request either."""

    error: LineError


SendResponse = (
    AcceptedByLine | RejectedByLine | NotAcceptedYet | PossiblyAccepted | NotAllowed | AboveQuota | SendingImpossible
)

# By HTTP's definition these ask for another attempt. They say nothing about the request.
_TRY_AGAIN = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY)

# `messages[0].text`, `A message (messages[0]) in the request body is invalid`, `/messages/0/contents`.
_MESSAGE_OBJECT = re.compile(r"\bmessages?\W{0,2}\d")
# `to`, `to[1]`, `The property, to[1], in the request body is invalid`.
_RECIPIENT = re.compile(r"(?:^|property\W+)/?to\b")
_PROPERTY = re.compile(r"\bproperty\W+\w")


def classify_response(response: Response) -> SendResponse:
    """Classify the response to a push, multicast, narrowcast or broadcast request with a retry key.

    A response without LINE's request id is not LINE's, whatever its status: LINE may have accepted the request.
    """
    if not response.is_from_line:
        return PossiblyAccepted(ForeignResponseError(response.endpoint, status=response.status))
    if response.status == HTTPStatus.CONFLICT:
        return AcceptedByLine(response.accepted_request_id or response.request_id)
    error = error_from_response(response)
    if error is None:
        return AcceptedByLine(response.request_id)
    if isinstance(error, ServerError) or response.status < HTTPStatus.BAD_REQUEST or response.status in _TRY_AGAIN:
        return PossiblyAccepted(error)
    return _classify_refusal(error)


def _classify_refusal(error: ApiError) -> SendResponse:
    match error:
        case RateLimitError():
            return NotAcceptedYet(error)
        case NotEntitledError() | NotFoundError():
            return NotAllowed(error)
        case QuotaUsedUpError():
            return AboveQuota(error)
        case AuthenticationError():
            return SendingImpossible(error)
    return RejectedByLine(rejection_reason(error), is_content_error(error))


def is_content_error(error: ApiError) -> bool:
    """Return whether a refusal is about the content or an option, and no recipient is at fault.

    LINE names the message object in the text, in a detail, or in both: with a path from the body, or from the message
    object (`template/actions/0/uri`), and sometimes with no-break spaces.
    """
    texts = [_plain(text) for text in (error.reason, *error.details)]
    if any(map(_MESSAGE_OBJECT.search, texts)):
        return True
    if any(map(_RECIPIENT.search, texts)):
        return False
    return bool(error.details) or any(map(_PROPERTY.search, texts))


def rejection_reason(error: ApiError) -> str:
    """Return LINE's message and details as one text."""
    return error.reason_with_details or f"status {error.status}"


def _plain(text: str) -> str:
    """Return a text in lower case with single spaces; no-break spaces are spaces."""
    return " ".join(text.lower().split())
