"""Validate contents at LINE without sending them.

Source: LINE Messaging API reference, "Validate message objects of a push message" and the same for the other send
methods. LINE checks the message objects only, not the recipients.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.api.errors import InvalidRequestError, error_from_response
from target_line.reasons import Reason
from target_line.sending.decide.decisions import Invalid
from target_line.sending.send.responses import rejection_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from line_core.api.client import LineClient
    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.claim.planner import PagePlan
    from target_line.sending.claim.request_body import SendMethod
    from target_line.sending.decide.decisions import DecidedMessage


@dataclass(frozen=True, slots=True)
class RejectedContent:
    """Messages whose content LINE rejects."""

    message_ids: tuple[str, ...]
    error: str
    """LINE's reason text."""


Rejection = tuple[str, Mapping[str, Any], Reason, str]
"""Message id, record, reason and detail."""


class ValidationCounts:
    """Numbers of valid and rejected messages, and an example for each reason."""

    def __init__(self) -> None:
        self._valid = 0
        self._rejected: Counter[str] = Counter()
        self._example: dict[str, str] = {}

    def add(self, page: PagePlan, rejections: Sequence[Rejection]) -> None:
        """Count the messages of a page."""
        refused = 0
        for message_id, _, reason, _ in rejections:
            refused += message_id in page.sends
            self._rejected[reason] += 1
            self._example.setdefault(reason, message_id)
        self._valid += len(page.sends) - refused

    def line(self) -> str:
        """Return the numbers as a log line."""
        refused = self._rejected[Reason.REFUSED_BY_LINE]
        text = f"LINE would accept {self._valid:,} messages and reject {refused:,}"
        others = {reason: count for reason, count in self._rejected.items() if reason != Reason.REFUSED_BY_LINE}
        listed = ", ".join(f"{reason} {count:,}" for reason, count in sorted(others.items()))
        return f"{text}; rejected before they would be sent: {listed}" if listed else text

    def examples(self) -> list[str]:
        """Return log lines with a message for each reason."""
        return [f"an example of {reason} is message {example}" for reason, example in sorted(self._example.items())]


def invalid_messages(messages: Iterable[DecidedMessage]) -> Iterator[Rejection]:
    """Yield the messages that are rejected before they would be sent."""
    for item in messages:
        if isinstance(item.decision, Invalid):
            yield item.due.message_id, item.due.record, item.decision.reason, item.decision.detail


async def refused_messages(client: LineClient, page: PagePlan) -> list[Rejection]:
    """Validate the contents of a page at LINE, and return the messages that LINE rejects.

    Raises:
        LineError: A validation request failed.
    """
    record_of = {item.due.message_id: item.due.record for item in page.messages}
    return [
        (message_id, record_of[message_id], Reason.REFUSED_BY_LINE, rejected.error)
        for rejected in await validate_contents(client, page.requests)
        for message_id in rejected.message_ids
    ]


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
