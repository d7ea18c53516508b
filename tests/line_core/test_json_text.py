"""JSON texts are split and joined without changing a value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.json_text import decode, join_object, split_array, split_object

_surrogates = st.text(st.sampled_from('a\ud83d\ude00\udc00\\"é😀u'))
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), _values), st.sampled_from([None, 0, 2]), st.booleans())
def test_the_members_of_an_object_join_to_the_same_object(
    members: dict[str, object], indent: int | None, ascii_only: bool
) -> None:
    parts = split_object(json.dumps(members, indent=indent, ensure_ascii=ascii_only))
    assert {name: json.loads(part) for name, part in parts.items()} == members
    assert json.loads(join_object(parts)) == members


@given(st.lists(_values), st.sampled_from([None, 0, 2]))
def test_the_elements_of_an_array_have_its_values(elements: list[object], indent: int | None) -> None:
    assert [json.loads(part) for part in split_array(json.dumps(elements, indent=indent))] == elements


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 20, "1.0000000000000000000000001", "1e-7"])
def test_numbers_keep_all_digits(number: str) -> None:
    assert split_object(f'{{"n": {number} }}') == {"n": number}


def test_the_last_of_repeated_names_wins() -> None:
    assert split_object('{"a":1,"\\u0061":2}') == {"a": "2"}


@pytest.mark.parametrize(
    "text", ["", "{", '{"a"}', '{"a":}', '{"a":1,}', '{"a":1}}', "{1:2}", "[1]", '{"a":1 "b":2}', '{"a":Infinity}']
)
def test_a_text_that_is_not_an_object_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        split_object(text)


def test_integers_of_more_than_18_digits_become_floats() -> None:
    assert decode("[123456789012345678, 1234567890123456789]") == [123456789012345678, 1.2345678901234568e18]


@given(st.dictionaries(_surrogates, _surrogates | st.lists(_surrogates)))
def test_escaped_surrogates_stay_as_they_are(members: dict[str, object]) -> None:
    text = json.dumps(members)
    values = json.loads(text)
    parts = split_object(text)
    assert parts == {name: json.dumps(value) for name, value in values.items()}
    assert split_array(json.dumps(list(members.values()))) == [json.dumps(value) for value in members.values()]


def test_an_escaped_backslash_before_u_is_not_a_surrogate() -> None:
    assert split_object('{"a":"\\\\ud83d","b":"\\ud83d"}') == {"a": '"\\\\ud83d"', "b": '"\\ud83d"'}
