"""One spelling for all spellings of an identifier, and values that stand for a missing one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from line_core.identity.model import IdentifierKind
from target_line.identity.identifiers import IdentifierReader, identifier_of
from target_line.identity.normalization import normalized_email, normalized_id, normalized_line_id
from target_line.identity.placeholders import PLACEHOLDER_WORDS, Placeholders
from target_line.reasons import RejectedRecordError
from tests.support.people import line_id

BUILT_IN = Placeholders()
ANY_TEXT = st.text() | st.from_regex(r"\A.{0,5}@.{1,8}\Z") | st.from_regex(r"\A[\s<'(]*\w+@\w+\.\w+[.,;>')]*\Z")


@pytest.mark.parametrize(
    ("value", "id_"),
    [
        ("c-1", "c-1"),
        (" c-1 ", "c-1"),
        ("\ufeffc-1\u200b", "c-1"),
        ("\u200b c-1", "c-1"),
        ("cafe\u0301", "café"),
        ("Ｃ-1", "Ｃ-1"),
        ("C-1", "C-1"),
        (7, "7"),
        (7.0, "7"),
        (2.0**53 - 1, str(2**53 - 1)),
        (2**63, str(2**63)),
        ("42.0", "42.0"),
        ("山田　太郎", "山田　太郎"),
    ],
)
def test_an_id_is_text_or_a_whole_number(value: object, id_: str) -> None:
    identifier = identifier_of(IdentifierKind.ID, value, "default")
    assert identifier is not None
    assert identifier.value == id_


@pytest.mark.parametrize(
    "email",
    [
        *(
            "Aoi@Example.COM",
            "  aoi@example.com\n",
            "ａｏｉ＠example．com",
            "aoi@example。com",
            "aoi@exam\u00adple.com",
        ),
        *(
            "aoi@example.com\u200b",
            "\ufeffaoi@example.com",
            "aoi@example.com.",
            "aoi@example.com,",
            "aoi@example.com ;",
        ),
        *("<aoi@example.com>", "‹aoi@example.com›", '"aoi@example.com"', "'aoi@example.com'", "(aoi@example.com)"),
        *("mailto:aoi@example.com", "<MAILTO:aoi@example.com>;", "「aoi@example.com」", "[ <aoi@example.com>, ]"),
    ],
)
def test_spellings_of_one_mailbox(email: str) -> None:
    assert normalized_email(email) == "aoi@example.com"


@pytest.mark.parametrize(
    ("email", "normal"),
    [
        ("aoi+shop@example.com", "aoi+shop@example.com"),
        ("a.o.i@example.com", "a.o.i@example.com"),
        ("straße@example.com", "straße@example.com"),
        ("strasse@example.com", "strasse@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("aoi@Bücher.example", "aoi@xn--bcher-kva.example"),
        ("aoi@XN--BCHER-KVA.example", "aoi@xn--bcher-kva.example"),
        ("aoi@straße.example", "aoi@xn--strae-oqa.example"),
        ("aoi@日本語。jp", "aoi@xn--wgv71a119e.jp"),
    ],
)
def test_what_makes_mailboxes_different_stays(email: str, normal: str) -> None:
    assert normalized_email(email) == normal


@pytest.mark.parametrize(
    "email", ["aoi", "aoi@", "@example.com", "a b@c", "a@b@c", "a@b c", "aoi@\ud800.jp", "aoi@-ü-.jp"]
)
def test_what_is_not_of_the_form_name_at_domain_is_no_email(email: str) -> None:
    assert normalized_email(email) is None


@given(ANY_TEXT)
@example("ẞ@ẞ")
@example("İ@İ.İ")
@example("\u0345a@b\u0345")
def test_normalization_is_idempotent(text: str) -> None:
    for normalized in (normalized_id, normalized_email, normalized_line_id):
        if normal := normalized(text):
            assert normalized(normal) == normal


def test_blanks_and_invisible_characters_around_a_line_id_are_removed() -> None:
    for spelling in (f"{line_id(1)}   ", f"\t{line_id(1)}\n", f"\u200b{line_id(1)}"):
        identifier = identifier_of(IdentifierKind.LINE_ID, spelling, "default")
        assert identifier is not None
        assert identifier.value == line_id(1)
    assert identifier_of(IdentifierKind.LINE_ID, "  \u200b ", "default") is None


@pytest.mark.parametrize(
    "value",
    [
        *("00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "0" * 32, "0", "00", "0.0"),
        *("urn:uuid:00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "-1", "-1.0", "0x0"),
        *(
            "null",
            "NULL",
            "ｎｕｌｌ",
            "NULL\u200b",
            '"null"',
            "(null)",
            "<null>",
            "\\N",
            "#N/A",
            "#REF!",
            "N.A.",
            "n/a",
            "N A",
        ),
        *("[object Object]", "not_authenticated", "Not Authenticated", "distinct_id", "id", "email", "true", "False"),
        *(
            "TBD",
            "?",
            "-",
            "---",
            "…",
            "xxx",
            "XX",
            "未設定",
            "なし",
            "(未登録)",
            "ไม่ระบุ",
            "NÃO INFORMADO",
            "desconhecido",
        ),
        *("null@null.com", "unknown@unknown.co.jp", "no-email@no-email.com", "na@na.com", "undefined@undefined"),
        *("x@x.com", "aaa@aaa.net", "noreply@example.com", "no-reply@example.com", "Do_Not_Reply@shop.example"),
        *("no-reply+42@example.com", "test@test.com", "0@0.com", "none@0.0"),
    ],
)
def test_a_placeholder_is_found_in_every_spelling(value: str) -> None:
    assert BUILT_IN.match(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "007",
            "10",
            "1",
            "-7",
            "0.5",
            "guest-7",
            "null-island",
            "nullable",
            "c-1",
            "xy",
            "x",
            "山田",
            "無印",
            "é",
            "00700",
        ),
        *(
            "f" * 31,
            "anonymous-42",
            "no",
            "test-1",
            "aoi@example.com",
            "test@example.co.jp",
            "ann@null.com",
            "null@ann.com",
        ),
        *("ab@cd.ef", "a@b.com", "noreply-team@example.com", "reply@example.com", "NA100", line_id(0)),
    ],
)
def test_a_value_that_may_belong_to_a_person_is_no_placeholder(value: str) -> None:
    assert not BUILT_IN.match(value)


def test_the_setting_replaces_the_words_and_keeps_the_patterns() -> None:
    own = Placeholders(["Kiosk Tablet", "C-100", "-1", "shop@example.com"])
    assert all(
        map(own.match, ["kiosk tablet", "KIOSK-TABLET", "c-100", "(C-100)", "Shop@Example.com", "0", "?", "\\N"])
    )
    assert not any(map(own.match, ["null", "unknown", "C100", "1", "100"]))


def test_every_default_word_is_a_placeholder_without_a_change_by_other_words() -> None:
    assert all(map(BUILT_IN.match, PLACEHOLDER_WORDS))
    assert all(Placeholders([word]).match(word) for word in PLACEHOLDER_WORDS)


@given(st.sampled_from(IdentifierKind), ANY_TEXT | st.integers() | st.floats() | st.booleans() | st.none())
def test_any_value_is_an_identifier_blank_or_rejected(kind: IdentifierKind, value: object) -> None:
    reader = IdentifierReader("default", BUILT_IN)
    try:
        identifier = reader.parse(kind, value)
    except RejectedRecordError:
        return
    if identifier:
        assert reader.parse(kind, identifier.value) == identifier
        assert identifier.value.encode()
