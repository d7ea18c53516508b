"""The JSON format of stored evidence is fixed: stores of earlier versions must stay readable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from line_core.identity.codec import decode_evidence, encode_evidence, encode_record
from tests.support.people import evidence_of, follow, identify, line_id, separation

if TYPE_CHECKING:
    from line_core.identity.model import Claim, Follow

CLAIM = (
    '{"identifiers":[["id","","a"],["email","","x@example.com"]],"first_at":1767225660000,"last_at":1767225660000,'
    '"attributes":{"plan":[1767225660000,"gold"]}}'
)
FOLLOW = (
    f'{{"line_id":["line_id","default","{line_id(1)}"],"state":"following","at":1767225720000,'
    '"followed_at":1767225720000}'
)


def test_evidence_has_the_format_of_earlier_versions() -> None:
    evidence = evidence_of(identify(at=1, id="a", email="x@example.com", plan="gold"), follow(1, at=2))
    assert encode_evidence(evidence) == f'{{"claims":[{CLAIM}],"follows":[{FOLLOW}]}}'


def test_separation_constraints_are_stored_as_cuts() -> None:
    evidence = evidence_of(separation("a", 1))
    pair = f'[["id","","a"],["line_id","default","{line_id(1)}"]]'
    assert encode_evidence(evidence) == f'{{"claims":[],"follows":[],"cuts":[{pair}]}}'
    assert decode_evidence(encode_evidence(evidence)) == evidence


@pytest.mark.parametrize("record", [identify(at=1, id="a", plan="gold"), follow(1, at=2)], ids=["claim", "follow"])
def test_one_record_has_the_format_of_evidence(record: Claim | Follow) -> None:
    assert encode_record(record) == encode_evidence(evidence_of(record))


def test_a_lone_surrogate_in_an_attribute_is_escaped() -> None:
    evidence = evidence_of(identify(at=1, id="a", name="\ud83d"))
    text = encode_evidence(evidence)
    assert json.loads(text)["claims"][0]["attributes"]["name"][1] == "\ud83d"
    assert text.isascii()
    assert decode_evidence(text) == evidence
