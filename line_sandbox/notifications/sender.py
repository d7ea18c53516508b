"""Sends LINE notification messages.

Source: LINE documentation, "Technical specifications of the LINE notification messages API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import Unprocessable
from line_sandbox.notifications.phone_numbers import PhoneNumbers
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.clock import Clock
    from line_sandbox.messages.delivery_recorder import DeliveryRecorder
    from line_sandbox.messages.send_request import SendRequest
    from line_sandbox.users.state import Users


class NotificationSender:
    """Delivers messages to phone numbers."""

    def __init__(self, users: Users, deliveries: DeliveryRecorder, clock: Clock) -> None:
        self._phones = PhoneNumbers(users)
        self._users = users
        self._deliveries = deliveries
        self._clock = clock

    def send(self, request: SendRequest, digest: str) -> Sequence[int]:
        """Send to one phone number. Users need not follow the account; those who block it receive nothing.

        Args:
            request: The messages to send.
            digest: SHA-256 digest of the phone number.

        Returns:
            The users reached.

        Raises:
            Unprocessable: No LINE user has the phone number.
        """
        user = self._phones.user_with(digest)
        state = None if user is None else self._users.state(user)
        if user is None or state is UserState.LEFT:
            raise Unprocessable("Failed to send messages")
        reached = [] if state is UserState.BLOCKED else [user]
        self._deliveries.record(request, reached, self._clock.now())
        return reached
