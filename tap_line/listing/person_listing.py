"""The people to ask LINE about, page by page: those whom it lists as followers, and those whom the store knows.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend".
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.api.errors import InvalidRequestError, MalformedResponseError, NotEntitledError, error_from_response
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from line_core.api.client import LineClient
    from tap_line.follow_evidence.evidence_store import FollowEvidenceStore

FOLLOWERS_PATH = "/v2/bot/followers/ids"
PAGE_SIZE = 1000
NOT_ENTITLED = (
    "LINE gives follower ids to verified and premium accounts only: going on with those who are known from webhook "
    "events and profile checks; `events`, `follows` and `friendships` work with every account"
)

_logger = logging.getLogger("tap-line.people")


class ProfileSource(StrEnum):
    """Where the LINE IDs come from of the people to ask about."""

    FOLLOWERS = "followers"
    """The followers that LINE lists for verified and premium accounts."""
    INBOX = "inbox"
    """Everybody whom the store knows: who sent a webhook event, or was listed as a follower before."""
    BOTH = "both"
    """The followers, then all others whom the store knows."""


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A page of LINE IDs, and where the scan goes on after them: None at its end."""

    line_ids: list[str]
    then: ListingPosition | None


class PersonListing:
    """All people to ask about, from where a scan stands."""

    def __init__(self, source: ProfileSource, client: LineClient, book: FollowEvidenceStore) -> None:
        """Prepare.

        Args:
            source: Whom to ask about.
            client: An open client.
            book: Told who is listed, and asked who is known.
        """
        self._source = source
        self._client = client
        self._book = book

    async def pages(self, scan: ListingPosition) -> AsyncIterator[PersonPage]:
        """The people from where the scan stands; its `source` says in which of the two lists that is.

        Raises:
            ApiError: LINE does not answer as it should.
        """
        if scan.source == ProfileSource.FOLLOWERS:
            begin_inbox = scan.at(ProfileSource.INBOX, None) if self._source is ProfileSource.BOTH else None
            try:
                async for people in self._followers(scan, begin_inbox):
                    yield people
                if begin_inbox is None:
                    return
            except NotEntitledError as error:
                _logger.warning("%s. %s", NOT_ENTITLED, error)
            scan = scan.at(ProfileSource.INBOX, None)
        async for people in self._known(scan):
            yield people

    async def _followers(self, scan: ListingPosition, afterwards: ListingPosition | None) -> AsyncIterator[PersonPage]:
        rest: ListingPosition | None = scan
        while rest and rest.source == ProfileSource.FOLLOWERS:
            try:
                line_ids, after = await self._list(rest.after)
            except InvalidRequestError:
                if rest.after is None:
                    raise
                _logger.warning("LINE does not take the continuation token any more: listing from the beginning")
                rest = ListingPosition(now(), ProfileSource.FOLLOWERS)
                continue
            at = now()
            await asyncio.to_thread(self._book.note_listed, line_ids, at)
            if after is None:
                await asyncio.to_thread(self._book.note_complete_list, rest.started_at)
            rest = rest.at(ProfileSource.FOLLOWERS, after) if after else afterwards
            yield PersonPage(line_ids, rest)

    async def _list(self, start: str | None) -> tuple[list[str], str | None]:
        params = {"limit": str(PAGE_SIZE)} | ({"start": start} if start else {})
        reply = await self._client.get(FOLLOWERS_PATH, params=params)
        if error := error_from_response(reply):
            raise error
        body = reply.json_object()
        line_ids = body.get("userIds")
        if not isinstance(line_ids, list):
            raise MalformedResponseError.from_response(reply, message="LINE's answer has no list of userIds")
        return line_ids, body.get("next")

    async def _known(self, scan: ListingPosition) -> AsyncIterator[PersonPage]:
        if scan.after is None:
            await asyncio.to_thread(self._book.add_people_of_inbox)
        not_listed_since = scan.started_at if self._source is ProfileSource.BOTH else None
        after = scan.after or ""
        while line_ids := await asyncio.to_thread(self._book.people_after, after, not_listed_since=not_listed_since):
            after = line_ids[-1]
            yield PersonPage(line_ids, scan.at(ProfileSource.INBOX, after))
        yield PersonPage([], None)
