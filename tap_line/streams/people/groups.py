"""Groups and rooms that the bot is in, and their members."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from line_core.api.errors import NotEntitledError, NotFoundError, error_from_response
from tap_line.base.api_stream import ApiStream
from tap_line.base.bulk_stream import BulkStream, Page, Question
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition
from tap_line.progress_log import ProgressLog
from tap_line.queries.groups import chats_in_inbox, people_in_chat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from singer_sdk.helpers.types import Context

    from line_core.api.client import LineClient
    from line_core.api.response import Response
    from tap_line.queries.groups import Chat

_GROUP_ID = th.Property("group_id", th.StringType, required=True, description="ID of the group (C…) or room (R…)")
_TYPE = th.Property("type", th.StringType, description="group, or room: a multi-person chat of older LINE versions")


class Groups(ApiStream):
    """The groups and rooms that events came from, with name and size; LINE has no list of a bot's groups."""

    name = "groups"
    path = "/v2/bot/group/{group_id}/summary"
    primary_keys: ClassVar[tuple[str, ...]] = ("group_id",)
    renamed: ClassVar[Mapping[str, str]] = {"groupName": "name"}
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _GROUP_ID,
        _TYPE,
        th.Property("is_member", th.BooleanType, description="Whether the bot is still in it"),
        th.Property("name", th.StringType, description="Name of the group; rooms have none"),
        th.Property("picture_url", th.StringType, description="URL of the group's picture"),
        th.Property("member_count", th.IntegerType, description="People in it, without the bot"),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """A record for each chat, in the order of ids."""
        chats = chats_in_inbox(self.tap.store, self.config.get("channel"))
        progress = ProgressLog(self.logger, "groups", len(chats))
        for chat in chats:
            known = {"groupId": chat.chat_id, "type": chat.kind}
            yield {**known, **self._about(chat), "observed_at": now().isoformat()}
            progress.add()

    def _about(self, chat: Chat) -> dict[str, Any]:
        try:
            summary = self.fetch(f"{chat.path}/summary").json_object() if chat.kind == "group" else {}
            count = self.fetch(f"{chat.path}/members/count").json_object().get("count")
        except NotFoundError:
            return {"is_member": False}
        return {**summary, "is_member": True, "member_count": count}


class GroupMembers(BulkStream):
    """The members of each group and room: as LINE lists them for verified and premium accounts, else who wrote."""

    name = "group_members"
    path = "/v2/bot/group/{group_id}/member/{line_id}"
    primary_keys: ClassVar[tuple[str, ...]] = ("group_id", "line_id")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _GROUP_ID,
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the member"),
        _TYPE,
        th.Property("display_name", th.StringType, description="Name the person shows"),
        th.Property("picture_url", th.StringType, description="URL of the person's picture"),
        th.Property("observed_at", th.DateTimeType, description="When LINE was asked"),
    ).to_dict()

    def first_scan(self) -> ListingPosition:
        """From the first group's first member."""
        return ListingPosition(now(), "")

    async def pages(self, client: LineClient, scan: ListingPosition) -> AsyncIterator[Page]:
        """A question for each member, chat by chat; the scan's source is the chat's id."""
        chats = await asyncio.to_thread(chats_in_inbox, self.tap.store, self.config.get("channel"))
        for chat in chats:
            if chat.chat_id < scan.source:
                continue
            after = scan.after if chat.chat_id == scan.source else None
            async for members, then in self._members(client, chat, after):
                known = {"groupId": chat.chat_id, "type": chat.kind}
                questions = [Question(f"{chat.path}/member/{each}", {**known, "userId": each}) for each in members]
                # Whatever sorts right behind the chat stands for the next one.
                yield Page(questions, scan.at(chat.chat_id, then) if then else scan.at(f"{chat.chat_id}~", None))
        yield Page([], None)

    async def _members(
        self, client: LineClient, chat: Chat, after: str | None
    ) -> AsyncIterator[tuple[list[str], str | None]]:
        while True:
            reply = await client.get(f"{chat.path}/members/ids", params={"start": after} if after else None)
            error = error_from_response(reply)
            if isinstance(error, NotFoundError):
                return
            if isinstance(error, NotEntitledError):
                yield await asyncio.to_thread(people_in_chat, self.tap.store, chat), None
                return
            members, after = self.list_of(reply, "memberIds"), reply.json_object().get("next")
            yield members, after
            if after is None:
                return

    def records_about(self, question: Question, reply: Response) -> list[dict[str, Any]]:
        """The member's profile; none for somebody who left."""
        error = error_from_response(reply)
        if isinstance(error, NotFoundError):
            return []
        return [{**self.body_of(reply), **question.known, "observed_at": now().isoformat()}]
