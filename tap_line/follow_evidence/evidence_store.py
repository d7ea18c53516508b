"""The book of one channel's friends: what streams tell it and ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.follow_state import FollowState
from tap_line.follow_evidence import evidence_sql
from tap_line.follow_evidence.friendship import FollowSignal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from line_core.store import Store
    from tap_line.follow_evidence.evidence_sql import Checks
    from tap_line.follow_evidence.friendship import Friendship


class FollowEvidenceStore:
    """Evidence about the people of one channel, in the store."""

    def __init__(self, store: Store, channel: str) -> None:
        """Open the book.

        Args:
            store: The open store.
            channel: The channel's name.
        """
        self._store = store
        self._channel = channel

    def note_listed(self, line_ids: Collection[str], at: datetime) -> None:
        """LINE listed these people as followers."""
        with self._store.write(lock="audience") as connection:
            evidence_sql.note(connection, self._channel, dict.fromkeys(line_ids, FollowSignal.LISTED), at)
            listed = {line_id: {"listed_at": at} for line_id in line_ids}
            evidence_sql.keep_contacts(connection, self._channel, listed)

    def note_checked(self, is_reachable: Mapping[str, bool], at: datetime, pipeline: str) -> None:
        """LINE gave these people's profiles, or did not, and a pipeline hands them on."""
        whats = {
            line_id: FollowSignal.REACHABLE if found else FollowSignal.UNREACHABLE
            for line_id, found in is_reachable.items()
        }
        with self._store.write(lock="audience") as connection:
            evidence_sql.note(connection, self._channel, whats, at)
            checked = {
                line_id: {"checked_at": at, "is_reachable": found, "checked_for": pipeline}
                for line_id, found in is_reachable.items()
            }
            evidence_sql.keep_contacts(connection, self._channel, checked)

    def note_complete_list(self, began_at: datetime) -> int:
        """A listing is complete: whoever was thought to follow when it began, and is not in it, does not.

        Returns:
            How many left unseen.
        """
        missing, after = 0, ""
        while True:
            with self._store.write(lock="audience") as connection:
                people = evidence_sql.known_people(connection, self._channel, after, not_listed_since=began_at)
                if not people:
                    return missing
                missing += evidence_sql.note(
                    connection, self._channel, dict.fromkeys(people, FollowSignal.MISSING), began_at
                )
            after = people[-1]

    def followers(self) -> Iterator[tuple[str, Friendship]]:
        """Who follows, by the latest evidence, in the order of LINE IDs."""
        after = ""
        while True:
            with self._store.read() as connection:
                people = evidence_sql.known_people(connection, self._channel, after)
                known = evidence_sql.friendships(connection, self._channel, people)
            if not people:
                return
            for line_id in people:
                if line_id in known and known[line_id].state is FollowState.FOLLOWING:
                    yield line_id, known[line_id]
            after = people[-1]

    def checked(self, line_ids: Collection[str], checks: Checks) -> set[str]:
        """Those of some people whose last profile check is one of these."""
        with self._store.read() as connection:
            return evidence_sql.checked_people(connection, self._channel, line_ids, checks)

    def add_people_of_inbox(self) -> None:
        """Take everybody into the book who sent an event."""
        position: int | None = 0
        while position is not None:
            with self._store.read() as connection:
                people, position = evidence_sql.people_in_inbox(connection, self._channel, position)
                new = people - evidence_sql.contacts_among(connection, self._channel, people)
            if new:
                with self._store.write(lock="audience") as connection:
                    evidence_sql.add_contacts(connection, self._channel, new)

    def people_after(self, line_id: str, *, not_listed_since: datetime | None = None) -> list[str]:
        """The next thousand people in the book, in the order of LINE IDs; none at its end.

        Args:
            line_id: The last one before them; empty to begin with.
            not_listed_since: Only people whom LINE has not listed as followers since then.
        """
        with self._store.read() as connection:
            return evidence_sql.contacts_after(connection, self._channel, line_id, not_listed_since=not_listed_since)

    def count(self, *, listed: bool) -> int:
        """How many people are in the book: all, or those whom LINE ever listed as followers."""
        with self._store.read() as connection:
            return evidence_sql.count_contacts(connection, self._channel, listed=listed)
