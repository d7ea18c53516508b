"""Content states do not depend on the order of arrival, and unsent content is removed."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from line_core.webhook_events.content_state import ContentState, MessageEvent, content_states, remove_content

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ORIGINAL = MessageEvent(1, "a", "message", BEGIN)
FIRST_EDIT = MessageEvent(2, "b", "messageEdited", BEGIN + timedelta(seconds=1))
SECOND_EDIT = MessageEvent(3, "c", "messageEdited", BEGIN + timedelta(seconds=2))
UNSEND = MessageEvent(4, "d", "unsend", BEGIN)
OTHER = MessageEvent(5, "e", "a type of the future", BEGIN + timedelta(days=1))

CURRENT, SUPERSEDED, UNSENT = ContentState.CURRENT, ContentState.SUPERSEDED, ContentState.UNSENT


@pytest.mark.parametrize(
    ("events", "states"),
    [
        ([ORIGINAL], {1: CURRENT}),
        ([ORIGINAL, FIRST_EDIT], {1: SUPERSEDED, 2: CURRENT}),
        ([ORIGINAL, FIRST_EDIT, SECOND_EDIT], {1: SUPERSEDED, 2: SUPERSEDED, 3: CURRENT}),
        ([SECOND_EDIT], {3: CURRENT}),
        ([UNSEND], {}),
        ([ORIGINAL, UNSEND], {1: UNSENT}),
        ([ORIGINAL, FIRST_EDIT, UNSEND, OTHER], {1: UNSENT, 2: UNSENT, 5: UNSENT}),
        ([ORIGINAL, OTHER], {1: CURRENT}),
    ],
)
def test_states_are_the_same_in_any_order(events: list[MessageEvent], states: dict[int, ContentState]) -> None:
    for order in itertools.permutations(events):
        assert content_states(order) == states


def test_of_two_edits_at_the_same_time_the_greater_id_is_current() -> None:
    twin = FIRST_EDIT._replace(position=9, webhook_event_id="bb")
    assert content_states([FIRST_EDIT, twin]) == content_states([twin, FIRST_EDIT]) == {2: SUPERSEDED, 9: CURRENT}


def test_removing_content_keeps_the_rest_unchanged() -> None:
    payload = (
        '{"type":"message","n":123456789012345678901234567890,"message":{"text":"my secret \\ud83d","id":"7",'
        '"mention":{"mentionees":[]},"type":"text"},"source":{"userId":"U1"},"nul":"\\u0000"}'
    )
    without_content = remove_content(payload)
    assert json.loads(without_content) == json.loads(payload) | {"message": {"id": "7", "type": "text"}}
    assert "123456789012345678901234567890" in without_content
    assert "secret" not in without_content


def test_content_in_a_repeated_member_is_removed_too() -> None:
    payload = '{"message":{"id":"7","text":"first secret"},"message":{"id":"7","text":"second secret"}}'
    assert json.loads(remove_content(payload)) == {"message": {"id": "7"}}
    assert "secret" not in remove_content(payload)
