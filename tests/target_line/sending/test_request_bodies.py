"""Bodies of requests and hashes of plans, byte for byte: stored claims and approved plans depend on them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from target_line.identity.repository import IdentityRepository
from target_line.sending.account import MonthlyUnits
from target_line.sending.claim.planner import PagePlanner
from target_line.sending.claim.request_body import RequestBody
from target_line.sending.decide import decider
from target_line.sending.decide.content import MessageContent
from target_line.sending.decide.decider import DueMessages, MessageDecider
from target_line.sending.dry_run.pages import plan_pages
from target_line.sending.dry_run.plan import summarize
from target_line.sending.ledger import Ledger
from target_line.sending.policy import SendingPolicy
from tests.support.people import line_id
from tests.support.staging import stage_records

TESTER, OTHER_TESTER = "U" + "f" * 32, "U" + "e" * 32


def records_of_every_kind() -> list[dict[str, Any]]:
    """Return records with every kind of recipient, content and option."""
    special = 'Hello こんにちは 😀 "quoted" \\ \x07\x7f\u2028 <b>'
    shared = {"text": "shared", "campaign": "spring_26", "notification_disabled": True}
    area = {"demographic": {"type": "area", "oneOf": ["jp_13", "東京"]}}
    sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988"}
    records: list[dict[str, Any]] = [
        *({"line_id": line_id(number), "text": special} for number in range(700)),
        *({"line_id": line_id(number), **shared} for number in (0, 1, 2, 0)),
        *(
            {"line_id": line_id(number), "text": "number {{ variables.n }}", "variables": {"n": number}}
            for number in range(5)
        ),
        {"group_id": "C" + "a" * 32, "text": "group", "campaign": "c1"},
        {"room_id": "R" + "b" * 32, "text": "room", "notification_disabled": True},
        {"recipient": "everyone", "text": "all", "campaign": "c2", "notification_disabled": True},
        {"recipient": "audience:4711", "text": "audience"},
        {"recipient": {"filter": area, "limit": {"max": 1e22, "upToRemainingQuota": True}}, "text": "chosen"},
        {"recipient": '{"recipient": {"type": "redelivery", "requestId": "\\u00e9\\/x"}}', "text": "chosen too"},
        {"line_id": line_id(9), "messages": [sticker, {"type": "text", "text": "tab\tnewline\n"}]},
        {"id": "nobody", "text": "x"},
        {"line_id": line_id(1), "text": "{{ profile.nothing }}"},
    ]
    return [{"message_id": f"m{number:04}", **record} for number, record in enumerate(records)]


@pytest.mark.parametrize(
    ("policy", "plan_hash"),
    [
        (SendingPolicy(), "29bab2fa17efb08cb4d5dc967bf49922d150be7885b4f83ad120c1a8693b62eb"),
        (SendingPolicy(multicast_min=4), "9a72448c1d08c3cc78af3988257c6605ea39d63ccd9ac4e771e72c0e0773a844"),
        (
            SendingPolicy(test_recipients=(TESTER, OTHER_TESTER)),
            "8fc289edecd91b814df06cb76c228ceff625b3185778c6caddb215538fba7f57",
        ),
        (
            SendingPolicy(test_recipients=(TESTER,)),
            "a6958f8ec26c7abb18a05ce6372686d4aec7408521b72f7c82579c8b29f4ba64",
        ),
    ],
    ids=["default", "multicast_min", "two test recipients", "one test recipient"],
)
def test_the_hash_of_a_plan_is_the_same_as_in_earlier_versions(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, policy: SendingPolicy, plan_hash: str
) -> None:
    monkeypatch.setattr(decider, "PAGE_SIZE", 300)
    with open_store(sqlite_url) as store:
        ledger = Ledger(store, "main", "run")
        staged = records_of_every_kind()
        with store.write(lock="ledger") as connection:
            stage_records(connection, staged, channel=ledger.channel, run_id=ledger.run_id)
        identity = IdentityRepository(store, MergePolicy())
        due = DueMessages(ledger, MessageDecider(identity, policy, MonthlyUnits()))
        plan = summarize(plan_pages(store, due, PagePlanner("main", policy)))
    assert plan.plan_hash == plan_hash


ONE, TWO = line_id(1), line_id(2)
TEXT = '[{"type":"text","text":"é \\"x\\""}]'


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (RequestBody(MessageContent(TEXT), ONE), f'{{"to":"{ONE}","messages":{TEXT}}}'),
        (
            RequestBody(MessageContent(TEXT, True, "spring_26"), (ONE, TWO)),
            (
                f'{{"to":["{ONE}","{TWO}"],"messages":{TEXT},"notificationDisabled":true,'
                f'"customAggregationUnits":["spring_26"]}}'
            ),
        ),
        (
            RequestBody(MessageContent(TEXT, True)),
            f'{{"messages":{TEXT},"notificationDisabled":true}}',
        ),
        (
            RequestBody(
                MessageContent(TEXT), conditions={"filter": {"oneOf": ["東京", 1e22]}, "limit": {"max": 5, "x": True}}
            ),
            f'{{"filter":{{"oneOf":["東京",1e+22]}},"limit":{{"max":5,"x":true}},"messages":{TEXT}}}',
        ),
    ],
    ids=["push", "multicast", "broadcast", "narrowcast"],
)
def test_a_body_is_encoded_without_spaces_and_in_a_fixed_order(body: RequestBody, text: str) -> None:
    assert body.encode() == text
    assert RequestBody.decode(text) == body


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    messages=st.lists(st.dictionaries(st.text(), JSON_VALUES, max_size=3), min_size=1, max_size=5),
    notification_disabled=st.booleans(),
    unit=st.none() | st.from_regex("[a-zA-Z0-9_]{1,30}", fullmatch=True),
    to=st.none() | st.just(ONE) | st.just((ONE, TWO)),
    conditions=st.dictionaries(st.sampled_from(["recipient", "filter", "limit"]), JSON_VALUES, max_size=3),
)
def test_a_decoded_body_is_encoded_to_the_same_text(
    messages: list[dict[str, Any]],
    notification_disabled: bool,
    unit: str | None,
    to: str | tuple[str, ...] | None,
    conditions: dict[str, Any],
) -> None:
    content = MessageContent(
        json.dumps(messages, ensure_ascii=False, separators=(",", ":")), notification_disabled, unit
    )
    text = RequestBody(content, to, conditions).encode()
    assert RequestBody.decode(text).encode() == text
    decoded = json.loads(text)
    assert decoded["messages"] == messages
    assert {name: decoded[name] for name in conditions} == conditions
