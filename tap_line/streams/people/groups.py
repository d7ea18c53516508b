"""The groups and rooms of the bot, and their members."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError
from tap_line.base.api_stream import ApiStream
from tap_line.base.bulk_stream import BulkPage, BulkRequest, BulkStream
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition
from tap_line.progress_log import ProgressLog
from tap_line.queries.groups import groups_in_inbox, senders_in_group

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from singer_sdk.helpers.types import Context

    from line_core.api.client import LineClient
    from line_core.api.response import Response
    from tap_line.queries.groups import GroupChat

_GROUP_ID = th.Property("group_id", th.StringType, required=True, description="ID of the group (C…) or room (R…)")
_TYPE = th.Property("type", th.StringType, description="group, or room (multi-person chat of older LINE versions)")
_OBSERVED_AT = th.Property("observed_at", th.DateTimeType, description="Time of the request")


class Groups(ApiStream):
    """The groups and rooms with events in the inbox, with name and size. LINE has no list of a bot's groups."""

    description = (
        "The groups and rooms with events in the inbox, with name and size. LINE has no list of a bot's groups."
    )
    name = "groups"
    path = "/v2/bot/group/{group_id}/summary"
    primary_keys: ClassVar[tuple[str, ...]] = ("group_id",)
    renamed_fields: ClassVar[Mapping[str, str]] = {"groupName": "name"}
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _GROUP_ID,
        _TYPE,
        th.Property("is_member", th.BooleanType, description="Whether the bot is still a member"),
        th.Property("name", th.StringType, description="Name of the group; null for rooms"),
        th.Property("picture_url", th.StringType, description="URL of the group's picture"),
        th.Property("member_count", th.IntegerType, description="Number of members, without the bot"),
        _OBSERVED_AT,
    ).to_dict()

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield a record per group, by ID."""
        groups = groups_in_inbox(self.services.store, self.config.get("channel"))
        progress = ProgressLog(self.logger, "groups", len(groups))
        for group in groups:
            known_fields = {"groupId": group.group_id, "type": group.type}
            yield {**known_fields, **self._details(group), "observed_at": now().isoformat()}
            progress.add()

    def _details(self, group: GroupChat) -> dict[str, Any]:
        try:
            summary = self.fetch(f"{group.path}/summary").json_object() if group.type == "group" else {}
            count = self.fetch(f"{group.path}/members/count").json_object().get("count")
        except NotFoundError:
            return {"is_member": False}
        return {**summary, "is_member": True, "member_count": count}


class GroupMembers(BulkStream):
    """The members of each group and room: LINE's list for verified and premium accounts, else senders of events."""

    description = (
        "The members of each group and room: LINE's list for verified and premium accounts, else senders of events."
    )
    name = "group_members"
    path = "/v2/bot/group/{group_id}/member/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("group_id", "line_id")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _GROUP_ID,
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the member"),
        _TYPE,
        th.Property("display_name", th.StringType, description="Display name of the person"),
        th.Property("picture_url", th.StringType, description="URL of the person's picture"),
        _OBSERVED_AT,
    ).to_dict()

    def start_position(self) -> ListingPosition:
        """Return the position of the first member of the first group."""
        return ListingPosition(now(), "")

    async def pages(self, client: LineClient, position: ListingPosition) -> AsyncIterator[BulkPage]:
        """Yield a request per member, group by group. The `source` of the position is the group's ID."""
        groups = await asyncio.to_thread(groups_in_inbox, self.services.store, self.config.get("channel"))
        for group in groups:
            if group.group_id < position.source:
                continue
            start = position.after if group.group_id == position.source else None
            async for members, next_token in self._member_pages(client, group, start):
                known_fields = {"groupId": group.group_id, "type": group.type}
                requests = [
                    BulkRequest(f"{group.path}/member/{each}", {**known_fields, "userId": each}) for each in members
                ]
                if next_token:
                    next_position = position.moved_to(group.group_id, next_token)
                else:
                    # "~" sorts after all characters of an ID: the position is behind this group and before the next.
                    next_position = position.moved_to(f"{group.group_id}~", None)
                yield BulkPage(requests, next_position)
        yield BulkPage([], None)

    async def _member_pages(
        self, client: LineClient, group: GroupChat, start: str | None
    ) -> AsyncIterator[tuple[list[str], str | None]]:
        """Yield pages of member IDs, each with the continuation token of the next page."""
        while True:
            response = await client.get(f"{group.path}/members/ids", params={"start": start} if start else None)
            error = self.error_in(response)
            if isinstance(error, NotFoundError):
                return
            if isinstance(error, NotEntitledError):
                yield await asyncio.to_thread(senders_in_group, self.services.store, group), None
                return
            members, start = self.list_in(response, "memberIds"), response.json_object().get("next")
            yield members, start
            if start is None:
                return

    def records_for(self, request: BulkRequest, response: Response) -> list[dict[str, Any]]:
        """Return the member's profile, or no record if the person has left."""
        if isinstance(self.error_in(response), NotFoundError):
            return []
        return [{**self.object_in(response), **request.known_fields, "observed_at": now().isoformat()}]
