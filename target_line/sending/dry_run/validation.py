"""Ask LINE whether it would take the content of messages, without sending it.

Source: LINE Messaging API reference, "Validate message objects of a push message" and its siblings. LINE looks at the
messages only, not at whom they go to.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.api.errors import InvalidRequestError, error_from_response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from line_core.api.client import LineClient
    from target_line.sending.claim.plan import PlannedRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """Messages that LINE would refuse."""

    message_ids: tuple[str, ...]
    words: str


async def ask_line(client: LineClient, requests: Iterable[PlannedRequest]) -> list[Refusal]:
    """Tell which of some requests LINE would refuse; of equal content it is asked once.

    Raises:
        LineError: LINE cannot be asked.
    """
    members: dict[tuple[str, str], list[str]] = {}
    for request in requests:
        content = json.dumps(json.loads(request.body)["messages"], ensure_ascii=False)
        members.setdefault((request.method, content), []).extend(request.members)
    said = await asyncio.gather(*(_refusal(client, method, content) for method, content in members))
    return [Refusal(tuple(ids), words) for ids, words in zip(members.values(), said, strict=True) if words]


async def _refusal(client: LineClient, method: str, content: str) -> str | None:
    reply = await client.request_with_retries(
        "POST", f"/v2/bot/message/validate/{method}", body=f'{{"messages":{content}}}'.encode()
    )
    error = error_from_response(reply)
    if isinstance(error, InvalidRequestError):
        return "; ".join(part for part in (error.reason, *error.details) if part) or f"status {reply.status}"
    if error:
        raise error
    return None
