"""The follow state of each person, with its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.described_stream import DescribedStream
from tap_line.follow_evidence.evidence_sql import EvidenceCursor, changed_people, read_friendships
from tap_line.follow_evidence.friendship import FollowSignal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_line.follow_evidence.friendship import Friendship

_FOLLOWED_SIGNALS = (FollowSignal.FOLLOWED, FollowSignal.UNBLOCKED, FollowSignal.LISTED, FollowSignal.REACHABLE)
_UNFOLLOWED_SIGNALS = (FollowSignal.UNFOLLOWED, FollowSignal.MISSING, FollowSignal.UNREACHABLE)


class Friendships(DescribedStream):
    """The follow state of each person with its history, from webhook events, complete lists and profile checks."""

    description = (
        "The follow state of each person with its history, from webhook events, complete lists and profile checks."
    )
    name = "friendships"
    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "line_id")
    has_custom_bookmarks = True
    reads_only_store = True
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("channel", th.StringType, required=True, description="Name of the channel"),
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property("follow_state", th.StringType, description="following or unfollowed"),
        th.Property(
            "evidence",
            th.StringType,
            description="Source of the follow state: webhook (an event), followers_api (a complete list of followers) "
            "or profile_check (LINE has, or no longer has, a profile)",
        ),
        th.Property("updated_at", th.DateTimeType, description="Time of that evidence"),
        th.Property("first_followed_at", th.DateTimeType, description="First evidence that the person follows"),
        th.Property("last_followed_at", th.DateTimeType, description="Last time the person started to follow"),
        th.Property("last_unblocked_at", th.DateTimeType, description="Last time the person unblocked the account"),
        th.Property("last_unfollowed_at", th.DateTimeType, description="Last evidence that the person unfollowed"),
        th.Property(
            "history",
            th.ArrayType(
                th.ObjectType(
                    th.Property("at", th.DateTimeType, description="Time of the event or of the request"),
                    th.Property("what", th.StringType, description=", ".join(FollowSignal)),
                    th.Property("evidence", th.StringType, description="webhook, followers_api or profile_check"),
                )
            ),
            description="All follow events, and the lists and profile checks that changed the follow state, by time",
        ),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Yield the current friendship of each person with evidence that is newer than the bookmark."""
        bookmark = self.stream_state.get("read") if self.is_incremental else None
        cursor = EvidenceCursor(**bookmark) if bookmark else EvidenceCursor()
        while True:
            with self.services.store.read() as connection:
                people, next_cursor = changed_people(connection, cursor)
            if next_cursor == cursor:
                return
            yield from self._records(people)
            cursor = next_cursor
            self.save_bookmarks(read={"position": cursor.position, "finding_id": cursor.finding_id})

    def _records(self, people: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        selected_channel = self.config.get("channel")
        line_ids_by_channel: dict[str, list[str]] = {}
        for channel, line_id in people:
            if selected_channel in (None, channel):
                line_ids_by_channel.setdefault(channel, []).append(line_id)
        for channel, line_ids in line_ids_by_channel.items():
            with self.services.store.read() as connection:
                friendships = read_friendships(connection, channel, line_ids)
            yield from (friendship_record(channel, id_, friendships[id_]) for id_ in line_ids if id_ in friendships)


def friendship_record(channel: str, line_id: str, friendship: Friendship) -> dict[str, Any]:
    """Return the record of a friendship."""
    return {
        "channel": channel,
        "line_id": line_id,
        "follow_state": friendship.state.value,
        "evidence": friendship.source and friendship.source.value,
        "updated_at": _iso(friendship.updated_at),
        "first_followed_at": _iso(friendship.first(*_FOLLOWED_SIGNALS)),
        "last_followed_at": _iso(friendship.last(*_FOLLOWED_SIGNALS)),
        "last_unblocked_at": _iso(friendship.last(FollowSignal.UNBLOCKED)),
        "last_unfollowed_at": _iso(friendship.last(*_UNFOLLOWED_SIGNALS)),
        "history": [
            {"at": piece.at.isoformat(), "what": piece.signal.value, "evidence": piece.signal.source.value}
            for piece in friendship.history
        ],
    }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
