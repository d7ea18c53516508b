"""A request to send messages, and how it is read from an HTTP request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.foundation.uuid_format import is_uuid
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.http.request import HttpRequest

MAX_MESSAGES = 5
"""Maximum number of message objects in a request."""

RETRY_KEY_HEADER = b"x-line-retry-key"

_METHODS_WITH_UNITS = (DeliveryMethod.PUSH, DeliveryMethod.MULTICAST)
"""Other methods have no property `customAggregationUnits`; LINE ignores unknown properties."""


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


def retry_key(request: HttpRequest) -> UUID | None:
    """Return the retry key of an HTTP request; None if there is none or it is not a UUID."""
    key = request.header(RETRY_KEY_HEADER)
    return UUID(key) if key is not None and is_uuid(key) else None


def read_send_request(request: HttpRequest, method: DeliveryMethod, body: dict[str, Any]) -> SendRequest:
    """Return the send request in an HTTP request whose body is valid.

    Raises:
        InvalidRequest: The retry key is not a UUID.
    """
    key = retry_key(request)
    if key is None and request.header(RETRY_KEY_HEADER) is not None:
        raise InvalidRequest("The value for the 'X-Line-Retry-Key' header is invalid")
    return SendRequest(
        endpoint=request.endpoint,
        method=method,
        number=request.number,
        retry_key=key,
        messages=body["messages"],
        notification_disabled=body.get("notificationDisabled", False),
        units=body.get("customAggregationUnits", ()) if method in _METHODS_WITH_UNITS else (),
    )
