"""The schedule of reads of interaction statistics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tap_line.statistics_schedule import REVISION_PERIOD, ReadHistory, StatisticsItem

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def sent(day: int, key: str = "") -> StatisticsItem:
    return StatisticsItem(START + day * DAY, key or f"request-{day}")


def read_due(
    history: ReadHistory, items: list[StatisticsItem], at: datetime, budget: int = 1000
) -> tuple[ReadHistory, list[str]]:
    read = []
    for item in history.due(items)[:budget]:
        history = history.after_read(item, at, items)
        read.append(item.key)
    return history, read


def test_an_item_is_read_every_day_until_fourteen_days_have_passed() -> None:
    items, history, days = [sent(0)], ReadHistory({}), []
    for day in range(1, 40):
        history, read = read_due(history, items, START + day * DAY)
        days += [day] * len(read)
    assert days == list(range(1, 16))
    assert timedelta(days=days[-1]) > REVISION_PERIOD


def test_unread_items_come_first_then_the_least_recently_read() -> None:
    items = [sent(1), sent(2), sent(3)]
    history, first = read_due(ReadHistory({}), items, START + 4 * DAY, budget=2)
    assert first == ["request-1", "request-2"]
    assert [item.key for item in history.due(items)] == ["request-3", "request-1", "request-2"]


def test_old_items_are_read_once_in_the_first_run() -> None:
    items = [sent(day) for day in range(5)]
    history, read = read_due(ReadHistory({}), items, START + 100 * DAY)
    assert len(read) == 5
    assert history.due(items) == []
    assert history.last_reads == {}
    assert history.final_until == items[-1].sent_at


def test_items_sent_at_the_same_time_are_all_read() -> None:
    items = [sent(0, "a"), sent(0, "b"), sent(1, "c")]
    history, _ = read_due(ReadHistory({}), items, START + 100 * DAY, budget=1)
    assert [item.key for item in history.due(items)] == ["b", "c"]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12, unique=True), st.integers(1, 4))
def test_with_any_budget_each_item_is_read_after_it_is_final_and_the_bookmark_ends_empty(
    days: list[int], budget: int
) -> None:
    items = [sent(day) for day in days]
    history = ReadHistory({})
    last_read: dict[str, datetime] = {}
    for day in range(100):
        at = START + day * DAY
        sent_so_far = [item for item in items if item.sent_at <= at]
        bookmark = history.to_bookmark()
        history, read = read_due(ReadHistory.from_bookmark(bookmark), sent_so_far, at, budget)
        last_read |= dict.fromkeys(read, at)
    assert all(last_read[item.key] >= item.sent_at + REVISION_PERIOD for item in items)
    assert history.due(items) == []
    assert history.last_reads == {}


def test_a_history_is_restored_from_its_bookmark() -> None:
    history, _ = read_due(ReadHistory({}), [sent(1), sent(2)], START + 3 * DAY)
    assert ReadHistory.from_bookmark(history.to_bookmark()) == history
    assert ReadHistory.from_bookmark(None) == ReadHistory({})


def test_the_bookmark_keeps_its_format_so_that_existing_states_are_restored() -> None:
    bookmark = {"settled_until": "2026-01-01T00:00:00+00:00", "last": {"request-1": "2026-01-03T00:00:00+00:00"}}
    history = ReadHistory({"request-1": START + 2 * DAY}, final_until=START)
    assert ReadHistory.from_bookmark(bookmark) == history
    assert history.to_bookmark() == bookmark
