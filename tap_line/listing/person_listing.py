"""Pages of the LINE IDs that per-person streams read: LINE's followers, and the people in the store.

Source: LINE Messaging API reference, "Get a list of users who added your LINE Official Account as a friend".
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from line_core.api.errors import (
    InvalidRequestError,
    MalformedResponseError,
    NotEntitledError,
    error_from_response,
)
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from line_core.api.client import LineClient
    from tap_line.follow_evidence.evidence_store import FollowEvidenceStore

FOLLOWERS_PATH = "/v2/bot/followers/ids"
PAGE_SIZE = 1000
NOT_ENTITLED = (
    "LINE lists followers for verified and premium accounts only: continuing with the people known from webhook events "
    "and profile checks; the streams `events`, `follows` and `friendships` work with every account"
)
TOKEN_EXPIRED = "LINE rejected the continuation token: restarting the listing at the first page"  # noqa: S105 - a log line

_logger = logging.getLogger("tap-line.people")


class ProfileSource(StrEnum):
    """The people that per-person streams read (setting `profile_source`)."""

    FOLLOWERS = "followers"
    """The followers that LINE lists for verified and premium accounts."""
    INBOX = "inbox"
    """All people in the store: senders of webhook events, and followers of earlier lists."""
    BOTH = "both"
    """The followers, then all other people in the store."""


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A page of LINE IDs, and the position after it (None after the last page)."""

    line_ids: list[str]
    next_position: ListingPosition | None


class PersonListing:
    """Lists people in pages, from a given position."""

    def __init__(self, source: ProfileSource, client: LineClient, follow_evidence: FollowEvidenceStore) -> None:
        """Store the dependencies.

        Args:
            source: The people to list.
            client: An open client.
            follow_evidence: Source of the people in the store. Listed followers are recorded there.
        """
        self._source = source
        self._client = client
        self._follow_evidence = follow_evidence

    async def pages(self, position: ListingPosition) -> AsyncIterator[PersonPage]:
        """Yield the pages from a position. Its `source` is the current list: `followers` or `inbox`.

        Raises:
            ApiError: LINE returned an error, or was not reachable.
        """
        if position.source == ProfileSource.FOLLOWERS:
            inbox_start = position.moved_to(ProfileSource.INBOX, None) if self._source is ProfileSource.BOTH else None
            try:
                async for page in self._follower_pages(position, inbox_start):
                    yield page
                if inbox_start is None:
                    return
            except NotEntitledError as error:
                _logger.warning("%s. %s", NOT_ENTITLED, error)
            position = position.moved_to(ProfileSource.INBOX, None)
        async for page in self._stored_pages(position):
            yield page

    async def _follower_pages(
        self, start: ListingPosition, position_after_followers: ListingPosition | None
    ) -> AsyncIterator[PersonPage]:
        position: ListingPosition | None = start
        while position and position.source == ProfileSource.FOLLOWERS:
            try:
                line_ids, next_token = await self._request_followers(position.after)
            except InvalidRequestError:
                if position.after is None:
                    raise
                _logger.warning(TOKEN_EXPIRED)
                position = ListingPosition(now(), ProfileSource.FOLLOWERS)
                continue
            at = now()
            await asyncio.to_thread(self._follow_evidence.record_listed, line_ids, at)
            if next_token is None:
                await asyncio.to_thread(self._follow_evidence.record_complete_list, position.started_at)
            position = (
                position.moved_to(ProfileSource.FOLLOWERS, next_token) if next_token else position_after_followers
            )
            yield PersonPage(line_ids, position)

    async def _request_followers(self, start: str | None) -> tuple[list[str], str | None]:
        params = {"limit": str(PAGE_SIZE)} | ({"start": start} if start else {})
        response = await self._client.get(FOLLOWERS_PATH, params=params)
        if error := error_from_response(response):
            raise error
        body = response.json_object()
        line_ids = body.get("userIds")
        if not isinstance(line_ids, list):
            raise MalformedResponseError.from_response(response, message="LINE's response has no list of userIds")
        return line_ids, body.get("next")

    async def _stored_pages(self, position: ListingPosition) -> AsyncIterator[PersonPage]:
        if position.after is None:
            await asyncio.to_thread(self._follow_evidence.add_inbox_senders)
        not_listed_since = position.started_at if self._source is ProfileSource.BOTH else None
        after = position.after or ""
        while line_ids := await asyncio.to_thread(
            self._follow_evidence.contacts_after, after, not_listed_since=not_listed_since
        ):
            after = line_ids[-1]
            yield PersonPage(line_ids, position.moved_to(ProfileSource.INBOX, after))
        yield PersonPage([], None)
