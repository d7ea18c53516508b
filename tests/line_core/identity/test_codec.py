"""The JSON format of stored evidence is fixed: stores of earlier versions must stay readable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from line_core.identity.codec import decode_evidence, encode_evidence, encode_record
from line_core.identity.model import (
    UNDATED,
    Claim,
    Correction,
    CorrectionKind,
    DatedValue,
    Identifier,
    IdentifierKind,
    RefusedOptOut,
    Unlink,
)
from tests.support.people import evidence_of, follow, identify, line_id, separation

if TYPE_CHECKING:
    from line_core.identity.model import Follow

CLAIM = (
    '{"identifiers":[["id","","a"],["email","","x@example.com"]],"first_at":1767225660000,"last_at":1767225660000,'
    '"attributes":{"plan":[1767225660000,"gold"]}}'
)
FOLLOW = (
    f'{{"line_id":["line_id","default","{line_id(1)}"],"state":"following","at":1767225720000,'
    '"followed_at":1767225720000}'
)


def test_evidence_of_version_1_keeps_its_meaning() -> None:
    undated = '{"identifiers":[["id","","b"]],"first_at":0,"last_at":1767225660000,"attributes":{"plan":[0,"free"]}}'
    never = f'{{"line_id":["line_id","default","{line_id(2)}"],"state":"unfollowed","at":0,"followed_at":0}}'
    cut = f'[["id","","a"],["line_id","default","{line_id(1)}"]]'
    decoded = decode_evidence(f'{{"claims":[{CLAIM},{undated}],"follows":[{FOLLOW},{never}],"cuts":[{cut}]}}')
    claims = identify(at=1, id="a", email="x@example.com", plan="gold"), identify(id="b", plan="free")
    expected = evidence_of(*claims, identify(at=1, id="b"), separation("a", 1))
    for follow_ in decoded.follows.values():
        assert follow_.channel == "", "it counts for every channel"
        expected.add(follow_)
    assert decoded == expected
    assert [(follow_.at, follow_.followed_at) for follow_ in decoded.follows.values()] == [
        (1767225720000, 1767225720000),
        (UNDATED, UNDATED),
    ]
    assert decode_evidence(encode_evidence(decoded)) == decoded


def test_evidence_has_the_format_of_version_2() -> None:
    evidence = evidence_of(identify(at=1, id="a", email="x@example.com", plan="gold"), follow(1, at=2))
    on_main = FOLLOW.replace("}", ',"channel":"main"}')
    assert encode_evidence(evidence) == f'{{"claims":[{CLAIM}],"follows":[{on_main}],"v":2}}'


def test_unlinks_refused_opt_outs_corrections_and_shared_identifiers_have_a_fixed_format() -> None:
    a = Identifier(IdentifierKind.ID, "", "a")
    email = Identifier(IdentifierKind.EMAIL, "", "x@example.com")
    evidence = evidence_of(
        Unlink(a, IdentifierKind.LINE_ID, "default", 5),
        RefusedOptOut((a,), {"unsubscribed": DatedValue(UNDATED, True)}),
        Correction(CorrectionKind.WITHDRAW, (a, email), 7),
        Correction(CorrectionKind.KEEP_LINK, (a, email)),
    )
    evidence.shared.add(email)
    pair = '[["id","","a"],["email","","x@example.com"]]'
    assert encode_evidence(evidence) == (
        '{"claims":[],"follows":[],"v":2,"unlinks":[[["id","","a"],"line_id","default",5]],'
        '"opt_outs":[{"identifiers":[["id","","a"]],"attributes":{"unsubscribed":[-9007199254740992,true]}}],'
        f'"corrections":[["keep_link",{pair},-9007199254740992],["withdraw",{pair},7]],'
        '"shared":[["email","","x@example.com"]]}'
    )
    assert decode_evidence(encode_evidence(evidence)) == evidence


@pytest.mark.parametrize("record", [identify(at=1, id="a", plan="gold"), follow(1, at=2)], ids=["claim", "follow"])
def test_one_record_has_the_format_of_evidence(record: Claim | Follow) -> None:
    assert encode_record(record) == encode_evidence(evidence_of(record))


def test_a_lone_surrogate_in_an_attribute_is_escaped() -> None:
    claim = Claim((Identifier(IdentifierKind.ID, "", "a"),), 1, 1, {"name": DatedValue(1, "\ud83d")})
    evidence = evidence_of(claim)
    text = encode_evidence(evidence)
    assert json.loads(text)["claims"][0]["attributes"]["name"][1] == "\ud83d"
    assert text.isascii()
    assert decode_evidence(text) == evidence
