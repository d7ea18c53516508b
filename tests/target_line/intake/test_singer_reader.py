"""Reading of Singer messages and validation of records."""

from __future__ import annotations

import contextlib
import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_line.intake.record_validation import RecordValidator
from target_line.intake.singer_reader import MAX_DEPTH, InputError, LineReader, UnusableRecord
from target_line.reasons import Reason, RejectedRecordError


def read(*lines: bytes) -> list[dict[str, Any]]:
    """Return the messages that the reader passes to its callbacks."""
    messages: list[dict[str, Any]] = []
    callbacks = dict.fromkeys(("RECORD", "SCHEMA", "STATE", "ACTIVATE_VERSION", "BATCH"), messages.append)
    LineReader().process_lines(io.TextIOWrapper(io.BytesIO(b"\n".join(lines)), encoding="cp932"), callbacks)
    return messages


def record_line(record: object) -> bytes:
    return json.dumps({"type": "RECORD", "stream": "profiles", "record": record}).encode()


@pytest.mark.parametrize(("line", "value"), [("1.5", 1.5), ("NaN", "NaN"), ("1e999", "1e999"), ("[null]", [None])])
def test_a_value_is_read_also_if_only_python_accepts_it(line: str, value: object) -> None:
    message = LineReader().deserialize_json(f'{{"type": "RECORD", "record": {{"x": {line}}}}}')
    assert message["record"]["x"] == value
    assert not isinstance(message["record"]["x"], float) or math.isfinite(message["record"]["x"])


def test_the_input_is_utf_8_whatever_the_locale() -> None:
    assert read('{"type":"STATE","value":"テスト é"}'.encode())[0]["value"] == "テスト é"


def test_blank_lines_and_a_byte_order_mark_are_ignored() -> None:
    assert len(read(b'\xef\xbb\xbf{"type":"STATE","value":1}\r', b"  ", b"", b'{"type":"STATE","value":2}')) == 2


@pytest.mark.parametrize(
    "text",
    [b'"\xe9aoi"', b'"\\ud800"', b'{"\\udc00":1}', b'["\xff"]'],
    ids=["latin-1", "half a surrogate pair", "name", "list"],
)
def test_a_record_with_text_that_is_not_unicode_is_unusable_and_its_neighbours_are_not(text: bytes) -> None:
    bad = b'{"type":"RECORD","stream":"profiles","record":{"id":1,"x":' + text + b"}}"
    before, message, after = (entry["record"] for entry in read(record_line({"id": 0}), bad, record_line({"id": 2})))
    assert (before, after) == ({"id": 0}, {"id": 2})
    assert isinstance(message, UnusableRecord)
    assert message.content["id"] == 1


@pytest.mark.parametrize("depth", [MAX_DEPTH, 990, 100_000])
def test_a_record_that_is_nested_too_deeply_is_unusable(depth: int) -> None:
    line = b'{"type":"RECORD","stream":"profiles","record":{"id":"c-1","x":' + b"[" * depth + b"]" * depth + b"}}"
    (message,) = read(line)
    assert isinstance(message["record"], UnusableRecord)
    assert message["stream"] == "profiles"
    assert message["record"].content == {"unreadable": line.decode()}


@pytest.mark.parametrize("depth", [MAX_DEPTH, 5_000])
def test_the_members_of_a_deep_record_may_have_any_order(depth: int) -> None:
    deep = b'{"x":"]}\\"","y":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    (message,) = read(b'{"record":' + deep + b',"version":[1],"stream":"crm\\u002dprofiles","type":"RECORD"}')
    assert isinstance(message["record"], UnusableRecord)
    assert message["stream"] == "crm-profiles"


def test_a_message_that_is_deep_and_no_record_is_an_error() -> None:
    with pytest.raises(InputError, match="line 1 of the input: it has more than 100 levels"):
        read(b'{"type":"STATE","value":' + b"[" * 200 + b"]" * 200 + b"}")


def test_an_integer_that_python_cannot_convert_is_text() -> None:
    (message,) = read(b'{"type":"RECORD","stream":"profiles","record":{"n":-' + b"9" * 5_000 + b"}}")
    assert message["record"] == {"n": "-" + "9" * 5_000}


def test_control_characters_in_a_text_are_kept() -> None:
    (message,) = read(b'{"type":"RECORD","stream":"profiles","record":{"x":"a\x01\tb"}}')
    assert message["record"] == {"x": "a\x01\tb"}


def test_a_wide_record_is_not_deep() -> None:
    assert read(record_line({"x": [[{}]] * 1000}))[0]["record"] == {"x": [[{}]] * 1000}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"email": "aoi@example.com",', "it has 28 bytes and is not JSON: Expecting property name"),
        (b'["aoi"]', "it is JSON, but not an object"),
        (b"5", "it is JSON, but not an object"),
        (b"null", "it is JSON, but not an object"),
        (b'{"record":{"email":"aoi@example.com"}}', "it has no type"),
        (b'{"type":"aoi","stream":"s"}', "its type is not one of Singer's message types"),
        (b'{"type":["aoi"],"stream":"s"}', "its type is not one of Singer's message types"),
        (b'{"type":"RECORD","record":{"email":"aoi@example.com"}}', "the RECORD message has no stream"),
        (b'{"type":"RECORD","stream":null,"record":{"id":"aoi"}}', "the RECORD message has a stream that is not text"),
        (b'{"type":"RECORD","stream":"s"}', "the RECORD message of stream 's' has no record"),
        (b'{"type":"SCHEMA","stream":"s","schema":{}}', "the SCHEMA message of stream 's' has no properties"),
        (
            b'{"type":"SCHEMA","stream":"s","schema":[]}',
            "the SCHEMA message of stream 's' has a schema that is not",
        ),
        (b'{"type":"STATE"}', "the STATE message has no value"),
        (b'{"type":"ACTIVATE_VERSION","stream":"\\ud800"}', "the name of the stream of the ACTIVATE_VERSION message"),
        (b'{"type":"SCHEMA","stream":"a\\u0000","schema":{}}', "the name of the stream of the SCHEMA message"),
        (b'{"type":"RECORD","stream":"s","record":{"email":"aoi@exa', "it has 56 bytes and is not JSON: Unterminated"),
        (b'{"type":"BATCH","stream":"s","encoding":{}}', "the BATCH message of stream 's' has no manifest"),
    ],
)
def test_a_line_that_is_no_message_is_named_by_number_and_reason_without_its_values(line: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read(b'{"type":"STATE","value":1}', b"", line)
    assert str(caught.value).startswith(f"line 3 of the input: {reason}")
    assert "aoi" not in str(caught.value)


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_line_is_a_message_or_an_input_error(line: bytes) -> None:
    with contextlib.suppress(InputError):
        read(line)


def test_an_invalid_record_is_rejected_with_the_path_of_the_property() -> None:
    schema: dict[str, Any] = {"properties": {"a": {"properties": {"b": {"type": "integer"}}}}}
    validator = RecordValidator("profiles", schema)
    validator.check({"a": {"b": 1}})
    with pytest.raises(RejectedRecordError) as caught:
        validator.check({"a": {"b": "x"}})
    assert caught.value.reason is Reason.INVALID_RECORD
    assert caught.value.detail.startswith("a.b: ")


@pytest.mark.parametrize(
    "odd",
    [
        *({"type": "no such type"}, {"type": None}, {"type": []}, {"maxLength": None}, {"multipleOf": 0}),
        *({"items": None}, {"pattern": "("}, {"minimum": 0, "exclusiveMinimum": True}, {"$ref": "#/definitions/none"}),
        *({"$ref": "other.json#/x"}, {"items": {"$ref": "file:///etc/hostname"}}),
        *(
            {"allOf": [{"$ref": "http://127.0.0.1:9/x"}]},
            {"$id": "http://127.0.0.1:9/", "properties": {"b": {"$ref": "x"}}},
        ),
    ],
    ids=str,
)
def test_a_property_whose_schema_is_odd_is_not_checked_and_named_in_a_warning(
    odd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    validator = RecordValidator("profiles", {"properties": {"id": {"type": "string"}, "note": odd}})
    validator.check({"id": "a", "note": {"anything": 1}})
    with pytest.raises(RejectedRecordError):
        validator.check({"id": 1})
    assert "not checked: note" in caplog.text


def test_a_reference_is_never_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "other.json").write_text('{"type": "integer"}')
    for url in ((tmp_path / "other.json").as_uri(), "other.json"):
        monkeypatch.chdir(tmp_path)
        RecordValidator("profiles", {"properties": {"x": {"$ref": url}}}).check({"x": "text"})


def test_references_within_the_schema_work() -> None:
    properties = {"a": {"$ref": "#/definitions/number"}, "b": {"$ref": "#/$defs/number"}, "c": {"pattern": "("}}
    number = {"number": {"type": "integer"}}
    validator = RecordValidator("profiles", {"properties": properties, "definitions": number, "$defs": number})
    for name in ("a", "b"):
        with pytest.raises(RejectedRecordError):
            validator.check({name: "x"})


def test_a_schema_of_draft_4_is_checked_by_its_rules() -> None:
    draft = {"$schema": "http://json-schema.org/draft-04/schema#"}
    validator = RecordValidator("profiles", {**draft, "properties": {"n": {"minimum": 0, "exclusiveMinimum": True}}})
    validator.check({"n": 1})
    with pytest.raises(RejectedRecordError):
        validator.check({"n": 0})
