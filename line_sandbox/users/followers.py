"""The list of follower ids, page by page.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend": a page may
hold fewer ids than asked for, even none, while there is a next one.
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
# Shares of the asked-for page that a page looks through, in turn; the first is whole, as a short list would be.
_SHARES = (1.0, 1.0, 0.7, 1.0, 0.0, 1.0, 0.3)


@dataclass(frozen=True, slots=True)
class Page:
    """Some ids of a list, and the token for the next ones."""

    ids: list[str]
    next: str | None


class Followers:
    """Lists the followers of a verified account."""

    def __init__(self, users: Users, tokens: PageTokens, *, verified: bool) -> None:
        self._users = users
        self._tokens = tokens
        self._verified = verified

    def page(self, limit: int, start: str | None) -> Page:
        """One page.

        Args:
            limit: Ids a page, at most.
            start: Token from the page before.

        Raises:
            Forbidden: The account is not verified.
            InvalidRequest: The limit is out of bounds, or the token is wrong or has ended.
        """
        if not self._verified:
            raise Forbidden.for_account_type()
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidRequest.for_parameter("limit")
        place, page = self._tokens.read(_LISTING, start)
        following = self._users.crowd(UserState.FOLLOWING)
        # A place is a number, and not a position, so that nobody is passed over when others block the account.
        numbers, following_place = following.window(place, int(limit * _SHARES[page % len(_SHARES)]))
        return Page(
            [self._users.line_id(number) for number in numbers],
            None if following_place is None else self._tokens.issue(_LISTING, following_place, page + 1),
        )
