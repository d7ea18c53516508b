"""Validate contents at LINE without sending them.

Source: LINE Messaging API reference, "Validate message objects of a push message" and the same for the other send
methods. LINE checks the message objects only, not the recipients.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.api.errors import InvalidRequestError, error_from_response
from target_line.sending.send.responses import rejection_reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from line_core.api.client import LineClient
    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.claim.request_body import SendMethod


@dataclass(frozen=True, slots=True)
class RejectedContent:
    """Messages whose content LINE rejects."""

    message_ids: tuple[str, ...]
    error: str
    """LINE's reason text."""


async def validate_contents(client: LineClient, requests: Iterable[PlannedRequest]) -> list[RejectedContent]:
    """Validate the contents of requests, each content once per send method, and return the rejected ones.

    Raises:
        LineError: A validation request failed.
    """
    message_ids: dict[tuple[SendMethod, str], list[str]] = {}
    for request in requests:
        message_ids.setdefault((request.method, request.body.content.messages), []).extend(request.message_ids)
    errors = await asyncio.gather(*(_validate(client, method, messages) for method, messages in message_ids))
    return [
        RejectedContent(tuple(ids), error)
        for ids, error in zip(message_ids.values(), errors, strict=True)
        if error is not None
    ]


async def _validate(client: LineClient, method: SendMethod, messages: str) -> str | None:
    """Return LINE's reason text if it rejects messages, given as JSON text."""
    response = await client.request_with_retries(
        "POST", method.validation_path, body=f'{{"messages":{messages}}}'.encode()
    )
    error = error_from_response(response)
    if isinstance(error, InvalidRequestError):
        return rejection_reason(error)
    if error:
        raise error
    return None
