"""Records and reads the follow evidence of one channel. Each method runs its own transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.follow_state import FollowState
from tap_line.follow_evidence import contacts_sql, evidence_sql
from tap_line.follow_evidence.friendship import FollowSignal
from tap_line.queries.inbox import senders_after_position

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from line_core.store import Store
    from tap_line.follow_evidence.contacts_sql import ProfileChecks
    from tap_line.follow_evidence.friendship import Friendship


class FollowEvidenceStore:
    """Follow evidence and contacts (people known to the tap) of one channel, in the store."""

    def __init__(self, store: Store, channel: str) -> None:
        """Store the dependencies.

        Args:
            store: The open store.
            channel: Name of the channel.
        """
        self._store = store
        self._channel = channel

    def record_listed(self, line_ids: Collection[str], at: datetime) -> None:
        """Record that LINE listed these people as followers."""
        with self._store.write(lock="audience") as connection:
            signals = dict.fromkeys(line_ids, FollowSignal.LISTED)
            evidence_sql.insert_state_changes(connection, self._channel, signals, at)
            contacts_sql.upsert_contacts(connection, self._channel, {each: {"listed_at": at} for each in line_ids})

    def record_profile_checks(self, is_reachable: Mapping[str, bool], at: datetime, pipeline: str) -> None:
        """Record profile checks.

        Args:
            is_reachable: Whether LINE returned a profile, by LINE ID.
            at: Time of the checks.
            pipeline: The pipeline that received the profiles.
        """
        signals = {
            line_id: FollowSignal.REACHABLE if reachable else FollowSignal.UNREACHABLE
            for line_id, reachable in is_reachable.items()
        }
        checks = {
            line_id: {"checked_at": at, "is_reachable": reachable, "checked_for": pipeline}
            for line_id, reachable in is_reachable.items()
        }
        with self._store.write(lock="audience") as connection:
            evidence_sql.insert_state_changes(connection, self._channel, signals, at)
            contacts_sql.upsert_contacts(connection, self._channel, checks)

    def record_complete_list(self, started_at: datetime) -> int:
        """Record that a list of followers is complete: people who are not in it do not follow.

        Args:
            started_at: Start of the listing. People who followed after it are not affected.

        Returns:
            Number of people whose follow state changed to unfollowed.
        """
        changed, after = 0, ""
        while True:
            with self._store.write(lock="audience") as connection:
                people = evidence_sql.people_with_evidence(
                    connection, self._channel, after, not_listed_since=started_at
                )
                if not people:
                    return changed
                signals = dict.fromkeys(people, FollowSignal.MISSING)
                changed += evidence_sql.insert_state_changes(connection, self._channel, signals, started_at)
            after = people[-1]

    def followers(self) -> Iterator[tuple[str, Friendship]]:
        """Yield the LINE ID and friendship of each follower, by LINE ID."""
        after = ""
        while True:
            with self._store.read() as connection:
                people = evidence_sql.people_with_evidence(connection, self._channel, after)
                friendships = evidence_sql.read_friendships(connection, self._channel, people)
            if not people:
                return
            for line_id in people:
                if line_id in friendships and friendships[line_id].state is FollowState.FOLLOWING:
                    yield line_id, friendships[line_id]
            after = people[-1]

    def checked_people(self, line_ids: Collection[str], checks: ProfileChecks) -> set[str]:
        """Return the people whose last profile check is one of `checks`."""
        with self._store.read() as connection:
            return contacts_sql.checked_people(connection, self._channel, line_ids, checks)

    def add_inbox_senders(self) -> None:
        """Add all senders of webhook events to the contacts."""
        position: int | None = 0
        while position is not None:
            with self._store.read() as connection:
                people, position = senders_after_position(connection, self._channel, position)
                new = people - contacts_sql.existing_contacts(connection, self._channel, people)
            if new:
                with self._store.write(lock="audience") as connection:
                    contacts_sql.insert_contacts(connection, self._channel, new)

    def contacts_after(self, line_id: str, *, not_listed_since: datetime | None = None) -> list[str]:
        """Return the next page of up to 1,000 contacts, by LINE ID; empty after the last page.

        Args:
            line_id: The last LINE ID of the previous page; empty for the first page.
            not_listed_since: Leave out people whom LINE has listed as followers since this time.
        """
        with self._store.read() as connection:
            return contacts_sql.contacts_after(connection, self._channel, line_id, not_listed_since=not_listed_since)

    def count_contacts(self, *, listed: bool) -> int:
        """Return the number of contacts: all, or only those that LINE has listed as followers."""
        with self._store.read() as connection:
            return contacts_sql.count_contacts(connection, self._channel, listed=listed)
