"""Who follows is a function of the evidence, whatever the order it came in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.follow_state import FollowState
from tap_line.follow_evidence.friendship import Evidence, FollowSignal, Source, friendship_of

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(minute: int, what: FollowSignal) -> Evidence:
    return Evidence(BEGIN + timedelta(minutes=minute), what)


evidence_sets = st.lists(st.builds(at, st.integers(0, 6), st.sampled_from(FollowSignal)), max_size=8)


def test_nothing_is_known_without_evidence() -> None:
    assert friendship_of([]).state is FollowState.UNKNOWN


@given(evidence_sets, st.randoms())
def test_order_and_repetition_change_nothing(evidence: list[Evidence], random: object) -> None:
    shuffled = [*evidence, *evidence[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert friendship_of(shuffled) == friendship_of(evidence)


@given(evidence_sets)
def test_the_history_holds_every_event_in_order_of_time(evidence: list[Evidence]) -> None:
    history = friendship_of(evidence).history
    assert [piece.at for piece in history] == sorted(piece.at for piece in history)
    assert {piece for piece in evidence if piece.what.source is Source.WEBHOOK} <= set(history)


@given(evidence_sets)
def test_state_source_and_time_are_the_last_news(evidence: list[Evidence]) -> None:
    friendship = friendship_of(evidence)
    if friendship.history:
        last = friendship.history[-1]
        assert (friendship.state, friendship.source, friendship.updated_at) == (
            last.what.state,
            last.what.source,
            last.at,
        )
    else:
        assert friendship.state is FollowState.UNKNOWN


@pytest.mark.parametrize(
    ("evidence", "state", "source"),
    [
        ([at(1, FollowSignal.FOLLOWED)], FollowState.FOLLOWING, Source.WEBHOOK),
        ([at(1, FollowSignal.FOLLOWED), at(2, FollowSignal.UNFOLLOWED)], FollowState.UNFOLLOWED, Source.WEBHOOK),
        ([at(2, FollowSignal.UNFOLLOWED), at(3, FollowSignal.UNBLOCKED)], FollowState.FOLLOWING, Source.WEBHOOK),
        ([at(1, FollowSignal.FOLLOWED), at(1, FollowSignal.UNFOLLOWED)], FollowState.UNFOLLOWED, Source.WEBHOOK),
        ([at(1, FollowSignal.FOLLOWED), at(2, FollowSignal.LISTED)], FollowState.FOLLOWING, Source.WEBHOOK),
        ([at(1, FollowSignal.FOLLOWED), at(2, FollowSignal.MISSING)], FollowState.UNFOLLOWED, Source.FOLLOWERS_API),
        ([at(1, FollowSignal.UNFOLLOWED), at(2, FollowSignal.LISTED)], FollowState.FOLLOWING, Source.FOLLOWERS_API),
        ([at(1, FollowSignal.REACHABLE)], FollowState.FOLLOWING, Source.PROFILE_CHECK),
        ([at(1, FollowSignal.LISTED), at(2, FollowSignal.UNREACHABLE)], FollowState.UNFOLLOWED, Source.PROFILE_CHECK),
        ([at(1, FollowSignal.UNFOLLOWED), at(2, FollowSignal.REACHABLE)], FollowState.FOLLOWING, Source.PROFILE_CHECK),
        (
            [at(1, FollowSignal.LISTED), at(2, FollowSignal.MISSING), at(3, FollowSignal.REACHABLE)],
            FollowState.UNFOLLOWED,
            Source.FOLLOWERS_API,
        ),
        ([at(1, FollowSignal.UNREACHABLE)], FollowState.UNKNOWN, None),
    ],
)
def test_the_latest_evidence_decides(evidence: list[Evidence], state: FollowState, source: Source | None) -> None:
    friendship = friendship_of(evidence)
    assert (friendship.state, friendship.source) == (state, source)


def test_times_of_the_history_can_be_asked_for() -> None:
    friendship = friendship_of(
        [at(1, FollowSignal.FOLLOWED), at(2, FollowSignal.UNFOLLOWED), at(3, FollowSignal.UNBLOCKED)]
    )
    assert friendship.first(FollowSignal.FOLLOWED, FollowSignal.UNBLOCKED) == BEGIN + timedelta(minutes=1)
    assert friendship.last(FollowSignal.FOLLOWED, FollowSignal.UNBLOCKED) == BEGIN + timedelta(minutes=3)
    assert friendship.last(FollowSignal.MISSING) is None
