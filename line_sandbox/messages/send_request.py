"""A request to send messages, and how it is read from an HTTP request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from line_core.messages import Problem
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.uuid_format import is_uuid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.http.request import HttpRequest
    from line_sandbox.usage.delivery_counts import DeliveryMethod

MAX_MESSAGES = 5
"""Maximum number of message objects in a request."""

RETRY_KEY_HEADER = b"x-line-retry-key"


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A push, multicast, narrowcast, broadcast or reply."""

    endpoint: str
    method: DeliveryMethod
    number: int
    """Sequence number of the HTTP request; LINE's request id is derived from it."""
    retry_key: UUID | None
    messages: Sequence[dict[str, Any]]
    notification_disabled: bool = False
    units: Sequence[str] = ()
    """Custom aggregation units."""

    @property
    def message_types(self) -> tuple[str, ...]:
        """The type of each message."""
        return tuple(message["type"] for message in self.messages)


def read_send_request(request: HttpRequest, method: DeliveryMethod, body: dict[str, Any]) -> SendRequest:
    """Return the send request in an HTTP request whose body is valid.

    Raises:
        InvalidRequest: The retry key is not a UUID.
    """
    key = request.header(RETRY_KEY_HEADER)
    if key is not None and not is_uuid(key):
        raise InvalidRequest("The value for the 'X-Line-Retry-Key' header is invalid")
    return SendRequest(
        endpoint=request.endpoint,
        method=method,
        number=request.number,
        retry_key=UUID(key) if key else None,
        messages=body["messages"],
        notification_disabled=body.get("notificationDisabled", False),
        units=body.get("customAggregationUnits", ()),
    )


def check_messages_for_chat(messages: Sequence[dict[str, Any]], *, is_user: bool) -> None:
    """Check that messages suit their recipient: mentions need a group or room, tracked videos need users.

    Raises:
        InvalidRequest: A message does not suit.
    """
    for index, message in enumerate(messages):
        if is_user and any(part["type"] == "mention" for part in message.get("substitution", {}).values()):
            problem = Problem(f"messages[{index}].substitution", "Mentions can be sent to groups and rooms only")
            raise InvalidRequest.with_details(problem)
        if not is_user and "trackingId" in message:
            problem = Problem(f"messages[{index}].trackingId", "Must not be specified for groups and rooms")
            raise InvalidRequest.with_details(problem)
