"""The follow state depends only on the set of evidence, not on its order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.follow_state import FollowState
from tap_line.follow_evidence.friendship import EvidenceSource, FollowEvidence, FollowSignal, derive_friendship

START = datetime(2026, 1, 1, tzinfo=UTC)
FOLLOWED, UNBLOCKED, UNFOLLOWED = FollowSignal.FOLLOWED, FollowSignal.UNBLOCKED, FollowSignal.UNFOLLOWED
LISTED, MISSING = FollowSignal.LISTED, FollowSignal.MISSING
REACHABLE, UNREACHABLE = FollowSignal.REACHABLE, FollowSignal.UNREACHABLE


def at(minute: int, signal: FollowSignal) -> FollowEvidence:
    return FollowEvidence(START + timedelta(minutes=minute), signal)


evidence_lists = st.lists(st.builds(at, st.integers(0, 6), st.sampled_from(FollowSignal)), max_size=8)


def test_without_evidence_the_state_is_unknown() -> None:
    assert derive_friendship([]).state is FollowState.UNKNOWN


@given(evidence_lists, st.randoms())
def test_order_and_duplicates_do_not_change_the_result(evidence: list[FollowEvidence], random: object) -> None:
    shuffled = [*evidence, *evidence[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert derive_friendship(shuffled) == derive_friendship(evidence)


@given(evidence_lists)
def test_the_history_contains_all_webhook_events_by_time(evidence: list[FollowEvidence]) -> None:
    history = derive_friendship(evidence).history
    assert [piece.at for piece in history] == sorted(piece.at for piece in history)
    assert {piece for piece in evidence if piece.signal.source is EvidenceSource.WEBHOOK} <= set(history)


@given(evidence_lists)
def test_state_source_and_time_are_those_of_the_last_history_entry(evidence: list[FollowEvidence]) -> None:
    friendship = derive_friendship(evidence)
    if friendship.history:
        last = friendship.history[-1]
        assert (friendship.state, friendship.source, friendship.updated_at) == (
            last.signal.state,
            last.signal.source,
            last.at,
        )
    else:
        assert friendship.state is FollowState.UNKNOWN


@pytest.mark.parametrize(
    ("evidence", "state", "source"),
    [
        ([at(1, FOLLOWED)], FollowState.FOLLOWING, EvidenceSource.WEBHOOK),
        ([at(1, FOLLOWED), at(2, UNFOLLOWED)], FollowState.UNFOLLOWED, EvidenceSource.WEBHOOK),
        ([at(2, UNFOLLOWED), at(3, UNBLOCKED)], FollowState.FOLLOWING, EvidenceSource.WEBHOOK),
        ([at(1, FOLLOWED), at(1, UNFOLLOWED)], FollowState.UNFOLLOWED, EvidenceSource.WEBHOOK),
        ([at(1, FOLLOWED), at(2, LISTED)], FollowState.FOLLOWING, EvidenceSource.WEBHOOK),
        ([at(1, FOLLOWED), at(2, MISSING)], FollowState.UNFOLLOWED, EvidenceSource.FOLLOWERS_API),
        ([at(1, UNFOLLOWED), at(2, LISTED)], FollowState.FOLLOWING, EvidenceSource.FOLLOWERS_API),
        ([at(1, REACHABLE)], FollowState.FOLLOWING, EvidenceSource.PROFILE_CHECK),
        ([at(1, LISTED), at(2, UNREACHABLE)], FollowState.UNFOLLOWED, EvidenceSource.PROFILE_CHECK),
        ([at(1, UNFOLLOWED), at(2, REACHABLE)], FollowState.FOLLOWING, EvidenceSource.PROFILE_CHECK),
        ([at(1, LISTED), at(2, MISSING), at(3, REACHABLE)], FollowState.UNFOLLOWED, EvidenceSource.FOLLOWERS_API),
        ([at(1, UNREACHABLE)], FollowState.UNKNOWN, None),
    ],
)
def test_the_latest_evidence_decides(
    evidence: list[FollowEvidence], state: FollowState, source: EvidenceSource | None
) -> None:
    friendship = derive_friendship(evidence)
    assert (friendship.state, friendship.source) == (state, source)


def test_first_and_last_time_of_signals() -> None:
    friendship = derive_friendship([at(1, FOLLOWED), at(2, UNFOLLOWED), at(3, UNBLOCKED)])
    assert friendship.first(FOLLOWED, UNBLOCKED) == START + timedelta(minutes=1)
    assert friendship.last(FOLLOWED, UNBLOCKED) == START + timedelta(minutes=3)
    assert friendship.last(MISSING) is None
