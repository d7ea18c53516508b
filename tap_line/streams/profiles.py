"""Profiles: one request to LINE for each person, as many at once as LINE allows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api import LineClient
from line_core.api.errors import NotFoundError, error_of
from tap_line.background import in_background
from tap_line.client import LineStream
from tap_line.clock import now
from tap_line.people import FOLLOWERS, follower_pages
from tap_line.scan import Scan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from singer_sdk.helpers.types import Context


class Profiles(LineStream):
    """The profile of everybody the account can reach, and who cannot be reached any more."""

    name = "profiles"
    path = "/v2/bot/profile/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("line_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property(
            "is_reachable",
            th.BooleanType,
            description="Whether LINE gives the profile; false: blocked, left, or never a friend",
        ),
        th.Property("display_name", th.StringType, description="Name the person shows"),
        th.Property("picture_url", th.StringType, description="URL of the person's picture, if there is one"),
        th.Property("status_message", th.StringType, description="Status message, if there is one"),
        th.Property(
            "language",
            th.StringType,
            description="Language as a BCP 47 tag; null until the person accepted the privacy policy",
        ),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Profiles in the order of the followers; a killed run goes on at the page where it was."""
        scan = Scan.begin_or_resume(self.stream_state.get("scan"), FOLLOWERS, now())
        for page in in_background(self._pages(scan)):
            yield from page.records
            self.save(scan=page.then.mark(now()) if page.then else None)

    async def _pages(self, scan: Scan) -> AsyncIterator[_Page]:
        """Fetch two pages of people at once, so that the next is under way before the last is complete."""
        client = LineClient(
            self.url_base,
            self._tap.tokens,
            self._tap.limits,
            timeout_seconds=self.timeout,
            trust_env=self.config["use_proxy_from_environment"],
        )
        under_way: list[tuple[list[asyncio.Task[dict[str, Any]]], Scan | None]] = []
        async with client:
            try:
                async for people in follower_pages(client, scan):
                    tasks = [asyncio.create_task(self._profile(client, line_id)) for line_id in people.line_ids]
                    under_way.append((tasks, people.then))
                    if len(under_way) > 1:
                        yield await _complete(*under_way.pop(0))
                while under_way:
                    yield await _complete(*under_way.pop(0))
            finally:
                for tasks, _ in under_way:
                    for task in tasks:
                        task.cancel()

    async def _profile(self, client: LineClient, line_id: str) -> dict[str, Any]:
        reply = await client.get(f"/v2/bot/profile/{line_id}")
        error = error_of(reply, credentials=self._tap.tokens.setting)
        found = {"userId": line_id, "is_reachable": error is None, "observed_at": now().isoformat()}
        if isinstance(error, NotFoundError):
            return found
        if error:
            raise error
        return {**reply.object(), **found}


@dataclass(frozen=True, slots=True)
class _Page:
    """Some people's profiles, and where the scan goes on after them."""

    records: list[dict[str, Any]]
    then: Scan | None


async def _complete(tasks: list[asyncio.Task[dict[str, Any]]], then: Scan | None) -> _Page:
    return _Page(await asyncio.gather(*tasks), then)
