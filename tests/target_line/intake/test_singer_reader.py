"""Reading of Singer messages and validation of records."""

from __future__ import annotations

import math
from typing import Any

import pytest

from target_line.intake.record_validation import RecordValidator
from target_line.intake.singer_reader import InputError, LineReader
from target_line.reasons import Reason, RejectedRecordError


@pytest.mark.parametrize(
    ("line", "value"),
    [("1.5", 1.5), ("NaN", "NaN"), ("1e999", "1e999"), ('"\\ud800"', "\ud800"), ("[null]", [None])],
)
def test_a_value_is_read_also_if_only_python_accepts_it(line: str, value: object) -> None:
    message = LineReader().deserialize_json(f'{{"type": "RECORD", "record": {{"x": {line}}}}}')
    assert message["record"]["x"] == value
    assert not isinstance(message["record"]["x"], float) or math.isfinite(message["record"]["x"])


def test_the_error_about_a_malformed_line_does_not_contain_the_line() -> None:
    with pytest.raises(InputError, match="a line of 28 characters that is not JSON") as caught:
        LineReader().deserialize_json('{"email": "aoi@example.com",')
    assert "aoi" not in str(caught.value)


def test_an_invalid_record_is_rejected_with_the_path_of_the_property() -> None:
    schema: dict[str, Any] = {"properties": {"a": {"properties": {"b": {"type": "integer"}}}}}
    validator = RecordValidator("profiles", schema)
    validator.check({"a": {"b": 1}})
    with pytest.raises(RejectedRecordError) as caught:
        validator.check({"a": {"b": "x"}})
    assert caught.value.reason is Reason.INVALID_RECORD
    assert caught.value.detail.startswith("a.b: ")


def test_an_invalid_schema_is_an_error_that_names_the_stream() -> None:
    with pytest.raises(InputError, match="stream 'profiles' declares an invalid schema"):
        RecordValidator("profiles", {"type": "no such type"})
