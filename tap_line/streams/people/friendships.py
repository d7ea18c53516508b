"""Friendships: each person's follow state and how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_line.base.described_stream import DescribedStream
from tap_line.follow_evidence import evidence_sql
from tap_line.follow_evidence.evidence_sql import Marks
from tap_line.follow_evidence.friendship import FollowSignal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from singer_sdk.helpers.types import Context

    from tap_line.follow_evidence.friendship import Friendship

_FOLLOWS = (FollowSignal.FOLLOWED, FollowSignal.UNBLOCKED, FollowSignal.LISTED, FollowSignal.REACHABLE)
_UNFOLLOWS = (FollowSignal.UNFOLLOWED, FollowSignal.MISSING, FollowSignal.UNREACHABLE)


class Friendships(DescribedStream):
    """Each person's follow state with its history, from webhook events, complete lists of followers and profiles."""

    name = "friendships"
    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "line_id")
    own_state = True
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("channel", th.StringType, required=True, description="Name of the channel"),
        th.Property("line_id", th.StringType, required=True, description="LINE ID of the person"),
        th.Property("follow_state", th.StringType, description="following or unfollowed"),
        th.Property(
            "evidence",
            th.StringType,
            description="What the state rests on: webhook (an event), followers_api (a complete list of followers) or "
            "profile_check (LINE has a profile, or none any more)",
        ),
        th.Property("updated_at", th.DateTimeType, description="Time of that evidence"),
        th.Property("first_followed_at", th.DateTimeType, description="First time the person was seen following"),
        th.Property("last_followed_at", th.DateTimeType, description="Last time the person began to follow again"),
        th.Property("last_unblocked_at", th.DateTimeType, description="Last time the person lifted a block"),
        th.Property("last_unfollowed_at", th.DateTimeType, description="Last time the person was found not to follow"),
        th.Property(
            "history",
            th.ArrayType(
                th.ObjectType(
                    th.Property("at", th.DateTimeType, description="When it happened, or was found"),
                    th.Property("what", th.StringType, description=", ".join(FollowSignal)),
                    th.Property("evidence", th.StringType, description="webhook, followers_api or profile_check"),
                )
            ),
            description="Every follow event, and what a list or a profile revealed, in order of time",
        ),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Everybody of whom there is new evidence since the state's marks, as all evidence has it now."""
        mark = self.stream_state.get("read") if self.replication_method == "INCREMENTAL" else None
        marks = Marks(**mark) if mark else Marks()
        while True:
            with self.tap.store.read() as connection:
                people, after = evidence_sql.changed_people(connection, marks)
            if after == marks:
                return
            yield from self._records(people)
            marks = after
            self.save(read={"position": marks.position, "finding_id": marks.finding_id})

    def _records(self, people: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
        only = self.config.get("channel")
        by_channel: dict[str, list[str]] = {}
        for channel, line_id in people:
            if only in (None, channel):
                by_channel.setdefault(channel, []).append(line_id)
        for channel, line_ids in by_channel.items():
            with self.tap.store.read() as connection:
                known = evidence_sql.friendships(connection, channel, line_ids)
            yield from (friendship_record(channel, id_, known[id_]) for id_ in line_ids if id_ in known)


def friendship_record(channel: str, line_id: str, friendship: Friendship) -> dict[str, Any]:
    """A record of `friendships`."""
    return {
        "channel": channel,
        "line_id": line_id,
        "follow_state": friendship.state.value,
        "evidence": friendship.source and friendship.source.value,
        "updated_at": _text(friendship.updated_at),
        "first_followed_at": _text(friendship.first(*_FOLLOWS)),
        "last_followed_at": _text(friendship.last(*_FOLLOWS)),
        "last_unblocked_at": _text(friendship.last(FollowSignal.UNBLOCKED)),
        "last_unfollowed_at": _text(friendship.last(*_UNFOLLOWS)),
        "history": [
            {"at": piece.at.isoformat(), "what": piece.what.value, "evidence": piece.what.source.value}
            for piece in friendship.history
        ],
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
