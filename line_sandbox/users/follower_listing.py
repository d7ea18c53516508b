"""Lists the followers' user IDs, page by page.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend": a page may
contain fewer IDs than requested, even none, although a next page exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import Forbidden, InvalidRequest
from line_sandbox.users.state import UserState

if TYPE_CHECKING:
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.users.state import Users

DEFAULT_LIMIT = 300
MAX_LIMIT = 1000

_LISTING = "followers"
# Fraction of the requested limit that each page scans, in turn. The first is 1, so that a short list fits one page.
_SCANNED_FRACTIONS = (1.0, 1.0, 0.7, 1.0, 0.0, 1.0, 0.3)


@dataclass(frozen=True, slots=True)
class FollowerPage:
    """User IDs, and the token of the next page (None on the last page)."""

    ids: list[str]
    next: str | None


class FollowerListing:
    """Lists the followers of a verified account."""

    def __init__(self, users: Users, tokens: PageTokens, *, verified: bool) -> None:
        self._users = users
        self._tokens = tokens
        self._verified = verified

    def page(self, limit: int, start: str | None) -> FollowerPage:
        """Return one page.

        Args:
            limit: Maximum number of IDs in the page.
            start: Token from the previous page; None for the first page.

        Raises:
            Forbidden: The account is not verified.
            InvalidRequest: The limit is out of range, or the token is invalid or expired.
        """
        if not self._verified:
            raise Forbidden.for_account_type()
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidRequest.for_parameter("limit")
        # The token holds a user number, not an index: no follower is skipped when others block the account meanwhile.
        first, page = self._tokens.read(_LISTING, start)
        followers = self._users.in_state(UserState.FOLLOWING)
        numbers, next_first = followers.scan(first, int(limit * _SCANNED_FRACTIONS[page % len(_SCANNED_FRACTIONS)]))
        return FollowerPage(
            [self._users.line_id(number) for number in numbers],
            None if next_first is None else self._tokens.issue(_LISTING, next_first, page + 1),
        )
