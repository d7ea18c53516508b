"""What LINE's answer to a send means for the message: a pure function.

Source: LINE Messaging API reference, "Status codes", "Rate limits", "Retry failed API requests". LINE asks to go by the
status; only the two kinds of 429 differ by nothing but their text.
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
    from line_core.api.response import Response
    from line_core.errors import LineError


@dataclass(frozen=True, slots=True)
class Accepted:
    """LINE has it, from this attempt or an earlier one."""

    request_id: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """LINE will never take it as it is."""

    words: str
    of_content: bool = False
    """Whether it is the messages that LINE refuses, whomever they go to."""


@dataclass(frozen=True, slots=True)
class SlowDown:
    """Not taken now; the same again after a pause."""

    error: LineError


@dataclass(frozen=True, slots=True)
class Uncertain:
    """It may have been taken; only the same retry key can tell."""

    error: LineError


@dataclass(frozen=True, slots=True)
class Stop:
    """Not taken, and nothing else would be."""

    error: LineError


# No send endpoint is ever missing at LINE: a 404 comes from somewhere else.
_SPEAKS_AGAINST_ALL = (AuthenticationError, NotEntitledError, NotFoundError, QuotaUsedUpError)

Verdict = Accepted | Refused | SlowDown | Uncertain | Stop


def verdict_of(reply: Response) -> Verdict:
    """Read LINE's answer to a push, multicast, narrowcast or broadcast that carried a retry key."""
    if reply.status == HTTPStatus.CONFLICT:
        return Accepted(reply.accepted_request_id or reply.request_id)
    error = error_from_response(reply)
    if error is None:
        return Accepted(reply.request_id)
    if isinstance(error, ServerError):
        return Uncertain(error)
    if isinstance(error, RateLimitError):
        return SlowDown(error)
    if isinstance(error, _SPEAKS_AGAINST_ALL):
        return Stop(error)
    words = "; ".join(part for part in (error.reason, *error.details) if part)
    of_content = any(detail.startswith("messages") for detail in error.details)
    return Refused(words or f"status {reply.status}", of_content)
