"""The lines that the tap writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib import RecordMessage

from tap_line.message_writer import BufferedMessageWriter

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = st.text(st.characters() | st.sampled_from(["\0", "\ud83d", "\udc4d"]), max_size=5)
JSON = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def written(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def write(record: dict[str, Any]) -> dict[str, Any]:
        writer = BufferedMessageWriter()
        writer.write_message(RecordMessage(stream="rejects", record=record))
        writer.flush()
        (line,) = capfdbinary.readouterr().out.splitlines()
        message: dict[str, Any] = json.loads(line)
        assert (message["type"], message["stream"]) == ("RECORD", "rejects")
        result: dict[str, Any] = message["record"]
        return result

    return write


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\0b", "a\ufffdb"),
        ("half \ud83d", "half \ufffd"),
        ("\ud83d\udc4d", "👍"),
        ({"x\0": [{"y\ud83d": "\0"}]}, {"x\ufffd": [{"y\ufffd": "\ufffd"}]}),
        ("a backslash and \\u0000", "a backslash and \\u0000"),
        (10**40, 10**40),
    ],
)
def test_texts_have_no_nul_and_no_half_characters(
    value: object, expected: object, written: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    assert written({"x": value, "n": 1}) == {"x": expected, "n": 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(value=JSON)
def test_every_target_can_be_given_every_record(
    value: object, written: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    text = json.dumps(written({"x": value}), ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", "")
