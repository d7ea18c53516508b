"""Property tests of the platform's records, without HTTP: ids, user sets and the delivery log."""

from __future__ import annotations

import re
import sys
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from line_sandbox.foundation.numbered_ids import NumberedIds
from line_sandbox.foundation.ulid import ulid
from line_sandbox.messages.delivery_log import DeliveryLog
from line_sandbox.messages.send_request import SendRequest
from line_sandbox.usage.delivery_counts import DeliveryMethod
from line_sandbox.users.state import Users, UserState
from line_sandbox.users.user_set import UserSet, union

HEX = st.text("0123456789abcdef", min_size=32, max_size=32)
NUMBERS = st.integers(0, 2**62)


@given(number=NUMBERS, seed=st.integers(0, 1000))
def test_an_id_can_be_converted_back_to_its_number(number: int, seed: int) -> None:
    ids = NumberedIds(seed, "U")
    assert re.fullmatch(r"U[0-9a-f]{32}", ids.id_of(number))
    assert ids.number_of(ids.id_of(number)) == number


@given(digits=HEX)
def test_a_random_id_has_no_number(digits: str) -> None:
    assert NumberedIds(1, "U").number_of("U" + digits) is None


@given(number=NUMBERS, position=st.integers(1, 32), digit=st.sampled_from("0123456789abcdef"))
def test_an_id_with_a_changed_digit_has_no_number(number: int, position: int, digit: str) -> None:
    ids = NumberedIds(1, "U")
    original = ids.id_of(number)
    changed = original[:position] + digit + original[position + 1 :]
    assert ids.number_of(changed) == (number if changed == original else None)


@pytest.mark.parametrize("text", ["", "U", "U123", "u" + "0" * 32, "U" + "G" * 32, "U" + "0" * 33, "C" + "0" * 32])
def test_a_text_in_another_format_has_no_number(text: str) -> None:
    assert NumberedIds(1, "U").number_of(text) is None


def test_an_id_of_another_seed_or_prefix_has_no_number() -> None:
    line_id = NumberedIds(1, "U").id_of(5)
    assert NumberedIds(2, "U").number_of(line_id) is None
    assert NumberedIds(1, "C").number_of("C" + line_id[1:]) is None


@st.composite
def user_sets(draw: st.DrawFn) -> tuple[UserSet, list[int]]:
    start, size = draw(st.integers(0, 5)), draw(st.integers(0, 30))
    base = range(start, start + size)
    excluded = sorted(draw(st.sets(st.sampled_from(base)))) if size else []
    added = sorted(draw(st.sets(st.integers(start + size, start + size + 20))))
    return UserSet(base, excluded, added), [number for number in base if number not in excluded] + added


@given(example=user_sets(), offset=st.integers(0, 60), limit=st.integers(0, 60))
def test_a_user_set_equals_the_list_of_its_numbers(example: tuple[UserSet, list[int]], offset: int, limit: int) -> None:
    user_set, numbers = example
    assert list(user_set) == numbers
    assert len(user_set) == len(numbers)
    assert user_set[offset : offset + limit] == numbers[offset : offset + limit]
    assert all((number in user_set) == (number in numbers) for number in range(60))


@given(example=user_sets(), width=st.integers(1, 10))
def test_scans_of_a_user_set_find_every_number(example: tuple[UserSet, list[int]], width: int) -> None:
    user_set, numbers = example
    found: list[int] = []
    start: int | None = 0
    while start is not None:
        window, start = user_set.scan(start, width)
        assert len(window) <= width
        found += window
    assert found == numbers


def test_the_union_of_two_user_sets() -> None:
    base = range(10)
    both = union(UserSet(base, [1, 2, 3], [20]), UserSet(base, [2, 3, 4], [21]))
    assert list(both) == [0, 1, 4, 5, 6, 7, 8, 9, 20, 21]


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 14), st.sampled_from(list(UserState))),
        max_size=30,
    )
)
def test_every_user_is_in_exactly_one_state(changes: list[tuple[int, UserState]]) -> None:
    users = Users(10, seed=3)
    states = {users.line_id(number): users.state(number) for number in range(len(users))}
    for number, state in changes:
        line_id = users.line_id(number) if number < 11 else f"U{number:032x}"
        users.set_state(line_id, state)
        states[line_id] = state
    for state in UserState:
        expected = sorted(line_id for line_id, now in states.items() if now is state)
        assert sorted(users.line_id(number) for number in users.in_state(state)) == expected


def test_ten_million_users_need_almost_no_memory() -> None:
    users = Users(10_000_000, seed=1)
    last = users.line_id(9_999_999)
    assert users.number_of(last) == 9_999_999
    stored = [value for value in vars(users).values() if isinstance(value, (dict, list))]
    assert sum(sys.getsizeof(value) for value in stored) < 1000


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from(["POST /a", "POST /b"]),
        st.none() | st.uuids(),
        st.lists(st.text(max_size=5), min_size=1, max_size=3),
        st.lists(st.integers(-3, 9), unique=True, max_size=5) | st.just(None),
        st.booleans(),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(requests=REQUESTS, offset=st.integers(0, 60), limit=st.integers(0, 60))
def test_the_delivery_log_returns_every_delivery_in_order(
    requests: list[tuple[Any, ...]], offset: int, limit: int
) -> None:
    log = DeliveryLog()
    all_users = UserSet(range(20), [3, 4], [25])
    expected = []
    for number, (endpoint, key, texts, chats, silent) in enumerate(requests):
        reached = all_users if chats is None else chats
        messages = [{"type": "text", "text": text} for text in texts]
        request = SendRequest(endpoint, DeliveryMethod.PUSH, number * 3, key, messages, notification_disabled=silent)
        log.add(request, reached, ["u"] if silent else [], float(number))
        expected += [(endpoint, number * 3, key, messages, silent, chat) for chat in reached]
    found = [
        (entry.endpoint, entry.request_number, entry.retry_key, entry.messages, entry.notification_disabled, chat)
        for entry, chat in log.deliveries(offset, limit)
    ]
    assert found == expected[offset : offset + limit]
    assert log.delivery_count == len(expected)
    assert log.recipient_count == len({chat for *_, chat in expected})
    assert log.request_count == len(requests)


def test_a_retry_key_of_zeros_differs_from_no_key() -> None:
    log = DeliveryLog()
    for key in (uuid.UUID(int=0), None):
        log.add(SendRequest("POST /a", DeliveryMethod.PUSH, 1, key, []), [1], [], 0.0)
    assert [entry.retry_key for entry, _ in log.deliveries(0, 5)] == [uuid.UUID(int=0), None]


@given(milliseconds=st.integers(0, 2**48 - 2), randomness=st.integers(0, 2**80 - 1))
def test_ulids_sort_by_time(milliseconds: int, randomness: int) -> None:
    earlier, later = ulid(milliseconds, 2**80 - 1), ulid(milliseconds + 1, randomness)
    assert len(earlier) == len(later) == 26
    assert earlier < later
