"""Figures are read again until they freeze, each in its turn, and the state stays small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tap_line.statistics_schedule import MOVING, Moving, Reads

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def sent(day: int, key: str = "") -> Moving:
    return Moving(BEGIN + day * DAY, key or f"request-{day}")


def read_all(reads: Reads, figures: list[Moving], at: datetime, budget: int = 1000) -> tuple[Reads, list[str]]:
    read = []
    for each in reads.due(figures)[:budget]:
        reads = reads.after(each, at, figures)
        read.append(each.key)
    return reads, read


def test_what_was_sent_is_read_again_until_fourteen_days_have_passed() -> None:
    figures, reads, days = [sent(0)], Reads({}), []
    for day in range(1, 40):
        reads, read = read_all(reads, figures, BEGIN + day * DAY)
        days += [day] * len(read)
    assert days == list(range(1, 16))
    assert timedelta(days=days[-1]) > MOVING


def test_what_was_never_read_comes_first_and_then_what_was_read_the_longest_ago() -> None:
    figures = [sent(1), sent(2), sent(3)]
    reads, first = read_all(Reads({}), figures, BEGIN + 4 * DAY, budget=2)
    assert first == ["request-1", "request-2"]
    assert [each.key for each in reads.due(figures)] == ["request-3", "request-1", "request-2"]


def test_old_sends_found_at_the_first_run_are_read_once() -> None:
    figures = [sent(day) for day in range(5)]
    reads, read = read_all(Reads({}), figures, BEGIN + 100 * DAY)
    assert len(read) == 5
    assert reads.due(figures) == []
    assert reads.last == {}
    assert reads.settled_until == figures[-1].sent_at


def test_two_sent_at_the_same_time_are_both_read_to_the_end() -> None:
    figures = [sent(0, "a"), sent(0, "b"), sent(1, "c")]
    reads, _ = read_all(Reads({}), figures, BEGIN + 100 * DAY, budget=1)
    assert [each.key for each in reads.due(figures)] == ["b", "c"]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True), st.integers(1, 4))
def test_with_any_budget_everything_is_read_after_it_froze_and_the_state_ends_empty(
    days: list[int], budget: int
) -> None:
    figures = [sent(day) for day in days]
    reads = Reads({})
    last_read: dict[str, datetime] = {}
    for day in range(100):
        at = BEGIN + day * DAY
        so_far = [each for each in figures if each.sent_at <= at]
        mark = reads.mark()
        reads, read = read_all(Reads.from_mark(mark), so_far, at, budget)
        last_read |= dict.fromkeys(read, at)
    assert all(last_read[each.key] >= each.sent_at + MOVING for each in figures)
    assert reads.due(figures) == []
    assert reads.last == {}


def test_a_mark_comes_back_as_it_was() -> None:
    reads, _ = read_all(Reads({}), [sent(1), sent(2)], BEGIN + 3 * DAY)
    assert Reads.from_mark(reads.mark()) == reads
    assert Reads.from_mark(None) == Reads({})
