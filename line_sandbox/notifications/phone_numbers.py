"""The phone numbers of the users.

Source: LINE documentation, "Technical specifications of the LINE notification messages API".
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from line_sandbox.users.state import Users


def phone_number(user: int) -> str:
    """Return the phone number of a user number, in E.164 format."""
    return f"+8190{user:08d}"


class PhoneNumbers:
    """Finds users by the SHA-256 digest of their phone number."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._user_of: dict[bytes, int] = {}
        """Computed on the first use, and extended when users were added."""

    def user_with(self, digest: str) -> int | None:
        """Return the number of the user with a phone number; None if there is none.

        Args:
            digest: SHA-256 digest of the phone number, in hexadecimal.
        """
        for user in range(len(self._user_of), len(self._users)):
            self._user_of[sha256(phone_number(user).encode()).digest()] = user
        return self._user_of.get(bytes.fromhex(digest))
