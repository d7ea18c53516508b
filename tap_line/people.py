"""Where the LINE IDs come from whose profiles are fetched, page by page.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_core.api.errors import MalformedBodyError, NotEntitledError, error_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from line_core.api.client import LineClient
    from line_core.api.reply import Reply
    from tap_line.scan import Scan

FOLLOWERS = "followers"
FOLLOWERS_PATH = "/v2/bot/followers/ids"
PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class People:
    """A page of LINE IDs, and where the scan goes on after them: None at its end."""

    line_ids: list[str]
    then: Scan | None


async def follower_pages(client: LineClient, scan: Scan) -> AsyncIterator[People]:
    """The followers, from where the scan stands.

    Raises:
        NotEntitledError: LINE does not list this account's followers.
        ApiError: LINE does not answer as it should.
    """
    rest: Scan | None = scan
    while rest:
        params = {"limit": str(PAGE_SIZE)} | ({"start": rest.after} if rest.after else {})
        reply = await client.get(FOLLOWERS_PATH, params=params)
        if error := error_of(reply):
            raise not_entitled(reply) if isinstance(error, NotEntitledError) else error
        body = reply.object()
        line_ids, after = body.get("userIds"), body.get("next")
        if not isinstance(line_ids, list):
            raise MalformedBodyError(
                reply.endpoint, words="no list 'userIds'", status=reply.status, request_id=reply.request_id
            )
        rest = rest.at(FOLLOWERS, after) if after else None
        yield People(line_ids, rest)


def not_entitled(reply: Reply) -> NotEntitledError:
    """The error of an account that may not list its followers."""
    return NotEntitledError.of(
        reply,
        message="LINE gives follower ids to verified and premium accounts only; deselect `followers` and `profiles`: "
        "`events` and `follows` work with every account",
    )
