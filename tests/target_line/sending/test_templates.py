"""Templates in message content: which values are printed, and how; what is an error; limits."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from line_core.messages import check_messages
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.templates.budget import Budget
from target_line.sending.templates.dates import format_date
from target_line.sending.templates.rendering import TemplateValues, render_templates
from target_line.sending.templates.values import TemplateValueError, WrittenNumber, number_of, text_of

NOW = datetime(2026, 11, 25, 10, 30, tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def render(template: Any, profile: dict[str, Any] | None = None, **variables: Any) -> Any:
    return render_templates(template, TemplateValues(profile or {}, variables, NOW), "messages[0].text")


def error_of(template: Any, **variables: Any) -> RejectedRecordError:
    with pytest.raises(RejectedRecordError) as caught:
        render(template, **variables)
    return caught.value


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("Hello {{ variables.x }}!", None),
        ("{{ variables.x.y }} points", {"y": None}),
        ("{{ variables.x[0] }} points", [None]),
        ("{{ variables.x | plus: 1 }} points", None),
        ("{{ variables.x | upcase }}!", None),
        ("Hello {{ 'Ms ' | append: variables.x }}", None),
        ("Hello {{ variables.x | first }}", []),
        ("{{ variables.x }}", {"a": 1}),
        ("{{ variables.x }}", ["a", 1]),
        ("{{ variables.x | upcase }}", {"a": 1}),
        ("{{ 'x' | append: variables.x }}", {"a": 1}),
        ("{{ variables.x | join: ', ' }}", ["a", None]),
        ("{{ variables.x | join: ', ' }}", [{"a": 1}]),
        ("{{ variables.x | map: 'a' | join: ', ' }}", [{"a": 1}, {}]),
        ("{{ variables.x | map: 'a' | sum }}", [{"a": 1}, {}]),
        ("{{ variables.x | plus: 1 }}", "many"),
        ("{{ variables.x | plus: 1 }}", True),
        ("{{ variables.x | size }} items", None),
        ("{{ variables.x | size }} items", 5),
        ("{% for item in variables.x %}{{ item }}{% endfor %}", [["a"]]),
        ("{% for item in variables.x %}{{ item }}{% endfor %}", None),
        ("{% for pair in variables.x %}{{ pair }}{% endfor %}", {"a": 1}),
        ("size {{ variables.x.size }}", {"colour": "red"}),
        ("{{ variables.x.first }}", {"colour": "red"}),
        ("{% cycle variables.x, 'b' %}", None),
        ("{% echo variables.x %}", {}),
        ("{% liquid\n echo variables.x %}", None),
        ("{% capture a %}{{ variables.x }}{% endcapture %}{{ a }}", [1]),
        ("{% assign a = variables.x %}{{ a }}", {"a": None}),
        ("{{ nil }}{{ variables.x }}", "x"),
        ("{{ empty }}{{ variables.x }}", "x"),
        ("{{ (1..3) }}{{ variables.x }}", "x"),
        ("{{ variables }}{{ variables.x }}", "x"),
        ("{{ variables.x }}", float("nan")),
        ("{{ variables.x }}", 1e30),
        ("{{ variables.x }}", 1234567890123456789012.0),
        ("{{ variables.x }}", "half \ud83d"),
        ("{{ variables.x | date: '%d' }}", "soon"),
        ("{{ variables.x | date: '%d' }}", None),
        ("{{ variables.x | slice: 0, 99 }}", {"a": 1}),
        ("{{ now | slice: 0, 4 }}{{ variables.x }}", "x"),
        ("{{ now | size }}{{ variables.x }}", "x"),
        ("{{ now | date: '%H:%M:%S.%L' }}{{ variables.x }}", "x"),
        ("{{ now | date: '%-N' }}{{ variables.x }}", "x"),
        ("Hello {{ variables.x }}!", ""),
        ("Hello {{ variables.x | upcase }}!", ""),
        ("Hello {{ variables.x }}!", " \u3000"),
    ],
)
def test_a_value_without_text_makes_the_message_invalid(template: str, value: object) -> None:
    error = error_of(template, x=value)
    assert error.reason is Reason.TEMPLATE_ERROR
    assert error.detail.startswith("messages[0].text: ")


def test_the_error_names_the_value() -> None:
    assert error_of("Hello {{ variables.name }}!", name=None).detail == "messages[0].text: variables.name is null"
    assert error_of("{{ variables.o }}", o={}).detail == "messages[0].text: variables.o: an object cannot be printed"
    assert error_of("Hi {{ variables.o }}", o="").detail == "messages[0].text: variables.o is empty"
    assert "variables.n | plus: 1: a text is not a number" in error_of("{{ variables.n | plus: 1 }}", n="x").detail


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (12, "12"),
        (19.9, "19.9"),
        (WrittenNumber("19.90"), "19.90"),
        ("19.90", "19.90"),
        (1e21, "1000000000000000000000"),
        (1e-05, "0.00001"),
        (-0.5, "-0.5"),
        (-0.0, "0.0"),
        (9223372036854775807, "9223372036854775807"),
        (" a ", " a "),
    ],
)
def test_values_are_printed_as_the_tap_wrote_them(value: object, text: str) -> None:
    assert render("{{ variables.x }}.", x=value) == f"{text}."
    assert render("{{ '' | append: variables.x }}.", x=value) == f"{text}."
    assert render("{{ variables.x | join }}.", x=[value]) == f"{text}."


@settings(max_examples=50)
@given(value=JSON)
def test_no_value_is_printed_as_python_writes_it(value: object) -> None:
    try:
        text = text_of(value)
    except TemplateValueError:
        assert not isinstance(value, bool)
        assert not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value)
        return
    assert isinstance(value, str | bool | int | float)
    assert value == text if isinstance(value, str) else set(text) <= set("-.0123456789truefals")
    if isinstance(value, int | float) and not isinstance(value, bool):
        assert type(value)(number_of(text)) == value


@pytest.mark.parametrize(
    "template",
    [
        'Hello {{ profile.nick | default: "friend" }}!',
        'Hello {{ profile["nick"] | default: "friend" }}!',
        "Hello {% if profile.nick %}{{ profile.nick }}{% else %}friend{% endif %}!",
        "Hello {% unless profile.nick %}friend{% endunless %}!",
        '{% assign nick = profile.nick | default: "friend" %}Hello {{ nick }}!',
        'Hello {% if profile contains "nick" %}{{ profile.nick }}{% else %}friend{% endif %}!',
        'Hello {% if profile.nick == "Aoi" %}Aoi{% else %}friend{% endif %}!',
        "Hello {% if profile.nick == nil %}friend{% endif %}!",
        'Hello {{ variables.none | default: "friend" }}!',
        'Hello {{ variables.nothing | default: "friend" }}!',
        "Hello {% if variables.none %}{{ variables.none }}{% else %}friend{% endif %}!",
        'Hello friend{{ variables.nothing | default: "" }}!',
        "Hello {% if variables.nothing %}{{ variables.nothing }}{% else %}friend{% endif %}!",
        "Hello {% if variables.blank_name %}{{ variables.blank_name }}{% else %}friend{% endif %}!",
        'Hello {{ variables.blank_name | default: "friend" }}!',
        "Hello {% unless variables.nothing %}friend{% endunless %}!",
        "Hello {% if profile.name and variables.nothing %}x{% elsif variables.nothing %}y{% else %}friend{% endif %}!",
        "Hello {% if variables.nothing or profile.name %}friend{% endif %}!",
        'Hello {% if variables.nothing == "" %}friend{% endif %}!',
        "Hello {% if variables.nothing == empty and variables.blank_name == blank %}friend{% endif %}!",
    ],
)
def test_a_fallback_for_a_missing_name_can_be_written(template: str) -> None:
    assert render(template, {"name": "x"}, none=None, nothing="", blank_name="  ") == "Hello friend!"


@pytest.mark.parametrize("template", ["{{ profile.nick }}", "{{ nick }}", "{% assign n = profile.nick %}{{ n }}"])
def test_a_missing_name_without_a_fallback_is_an_error(template: str) -> None:
    assert "nick' is undefined" in (detail := error_of(template).detail) or "profile.nick is undefined" in detail


@pytest.mark.parametrize("value", ["", " \n ", "\u3000"])
def test_a_text_that_is_blank_after_rendering_is_invalid(value: str) -> None:
    error = error_of("{{ variables.x }}", x=value)
    assert (error.reason, error.detail) == (
        Reason.INVALID_MESSAGE,
        "messages[0].text: blank after its template is rendered",
    )


BRACES = "Bob {everyone} :-{ }}"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ variables.name }} {x}", "Bob {{everyone}} :-{{ }}}} {x}"),
        ("{{ variables.name | upcase }}", "BOB {{EVERYONE}} :-{{ }}}}"),
        ("{% capture a %}{{ variables.name }}{% endcapture %}{{ a }}", "Bob {{everyone}} :-{{ }}}}"),
        ("{% for n in variables.names %}{{ n }}{% endfor %}", "{{a}}"),
        ("{% cycle variables.name %}", "Bob {{everyone}} :-{{ }}}}"),
        ("{% ifchanged %}{{ variables.name }}{% endifchanged %}", "Bob {{everyone}} :-{{ }}}}"),
        ("{% raw %}{{a}}{% endraw %} {x}", "{{a}} {x}"),
        ('{{ "{" }}a{{ "}" }} {x}', "{{a}} {x}"),
        ("{{ variables.mention | safe }}", "{x}"),
    ],
)
def test_braces_of_values_are_escaped_in_text_v2(template: str, text: str) -> None:
    message = {"type": "textV2", "text": template}
    assert render(message, name=BRACES, names=["{a}"], mention="{x}")["text"] == text
    plain = render({"type": "text", "text": "{{ variables.name }}"}, name=BRACES)
    assert plain["text"] == BRACES, "an ordinary text has no syntax"


@pytest.mark.parametrize(
    "odd", [{"emojis": []}, {"emojis": [{"index": 22}]}, {"type": "{{ variables.type }}"}], ids=str
)
def test_braces_of_values_are_escaped_in_every_text_v2(odd: dict[str, Any]) -> None:
    message = {"type": "textV2", "text": "{{ variables.name }}, $", **odd}
    assert render(message, name="{everyone}", type="textV2")["text"] == "{{everyone}}, $"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)


@settings(max_examples=50)
@given(value=TEXTS)
def test_a_value_in_text_v2_adds_no_placeholder(value: str) -> None:
    emoji = {"type": "emoji", "productId": "p", "emojiId": "e"}
    message = {"type": "textV2", "text": "{{ variables.v }}{x}", "substitution": {"x": emoji, "everyone": emoji}}
    rendered = render(message, v=value)
    assert check_messages([rendered]) == []
    assert rendered["text"].removesuffix("{x}").replace("{{", "{").replace("}}", "}") == value


@settings(max_examples=50)
@given(value=TEXTS)
def test_a_value_in_a_query_is_read_as_it_is(value: str) -> None:
    uri = render({"type": "uri", "uri": "https://shop.example/?a={{ variables.v }}&b=1#c"}, v=value)["uri"]
    assert parse_qs(urlsplit(uri).query) == {"a": [value], "b": ["1"]}
    in_path = render({"type": "uri", "uri": "https://shop.example/{{ variables.v }}?b=1"}, v=value)["uri"]
    assert urlsplit(in_path).netloc == "shop.example"
    assert urlsplit(in_path).query == "b=1"
    assert unquote(urlsplit(in_path).path) == f"/{value}"


@settings(max_examples=50)
@given(before=TEXTS, between=TEXTS)
def test_emoji_behind_any_values_are_valid(before: str, between: str) -> None:
    emojis = [{"index": index, "productId": "p", "emojiId": "e"} for index in (17, 35)]
    message = {"type": "text", "text": "{{ variables.a }}${{ variables.b }}$", "emojis": emojis}
    assert check_messages([render(message, a=before, b=between)]) == []


def test_the_error_of_a_text_v2_says_how_a_literal_brace_is_written() -> None:
    error = error_of({"type": "textV2", "text": "Set {{a}}"})
    assert "a literal brace is {% raw %}{{{% endraw %}" in error.detail


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("https://shop.example/?n={{ variables.name }}&b=1", "https://shop.example/?n=A%26B%20%2F%20%E6%9D%B1%3F&b=1"),
        ("https://shop.example/{{ variables.name }}/x", "https://shop.example/A&B%20/%20%E6%9D%B1%3F/x"),
        ("https://shop.example/#{{ variables.name }}", "https://shop.example/#A%26B%20%2F%20%E6%9D%B1%3F"),
        ("https://shop.example/?n={{ variables.name | url_encode }}", "https://shop.example/?n=A%26B+%2F+%E6%9D%B1%3F"),
        ("https://shop.example/?{{ variables.query | safe }}", "https://shop.example/?a=1&b=2"),
        ("{{ variables.link }}", "https://shop.example/?a=1&b=2"),
        ("{{ variables.link }}&n={{ variables.name }}", "https://shop.example/?a=1&b=2&n=A%26B%20%2F%20%E6%9D%B1%3F"),
        ("tel:{{ variables.phone }}", "tel:+81-3-0000-0000"),
        ("{% assign n = variables.name %}https://a.example/?{{ n }}", "https://a.example/?A%26B%20%2F%20%E6%9D%B1%3F"),
    ],
)
@pytest.mark.parametrize("name", ["uri", "linkUri", "url", "imageUrl", "desktop"])
def test_values_are_percent_encoded_in_uris(name: str, template: str, uri: str) -> None:
    values: dict[str, Any] = {
        "name": "A&B / 東?",
        "link": "https://shop.example/?a=1&b=2",
        "query": "a=1&b=2",
        "phone": "+81-3-0000-0000",
    }
    assert render({"type": "uri", name: template}, **values)[name] == uri


@pytest.mark.parametrize(
    ("template", "indexes", "text", "rendered_indexes"),
    [
        ("Hi {{ variables.name }} $", [24], "Hi Bo$ 👍 $", [10]),
        ("$ {{ variables.name }} $", [0, 23], "$ Bo$ 👍 $", [0, 9]),
        ("{% if false %}${% endif %}$ {{ variables.name }}", [14, 26], "$ Bo$ 👍", [0]),
        ("{% for i in (1..2) %}$ {{ i }} {% endfor %}", [21], "$ 1 $ 2 ", [0, 4]),
        ("👍 {{ variables.name }} $", [24], "👍 Bo$ 👍 $", [10]),
        ("Hi {{ variables.name }} $", [10], "Hi Bo$ 👍 $", [10]),
    ],
)
def test_emoji_stay_in_their_places_behind_values(
    template: str, indexes: list[int], text: str, rendered_indexes: list[int]
) -> None:
    emojis = [{"index": index, "productId": "p", "emojiId": str(index)} for index in indexes]
    rendered = render({"type": "text", "text": template, "emojis": emojis}, name="Bo$ 👍\ufdd0")
    assert rendered["text"].replace("\ufdd0", "") == text
    assert [emoji["index"] for emoji in rendered["emojis"]] == rendered_indexes


def test_the_marks_of_emoji_are_never_made_from_a_text() -> None:
    text = "\ufdd0 {{ variables.name }} $"
    message = {"type": "text", "text": text, "emojis": [{"index": 23, "productId": "p", "emojiId": "e"}]}
    assert render(message, name="Bob")["text"] == "\ufdd0 Bob $"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("now", "2026-11-25 19:30"),
        ("today", "2026-11-25 19:30"),
        (1764032400, "2025-11-25 10:00"),
        ("1764032400", "2025-11-25 10:00"),
        (1764032400000, "2025-11-25 10:00"),
        (1764032400.5, "2025-11-25 10:00"),
        ("2026-11-25T15:30:00Z", "2026-11-26 00:30"),
        ("2026-11-25T15:30:00-05:00", "2026-11-26 05:30"),
        ("2026-11-25 15:30 UTC", "2026-11-26 00:30"),
        ("2026-11-25T15:30:00", "2026-11-25 15:30"),
        ("2026-11-25", "2026-11-25 00:00"),
        ("20261125", "2026-11-25 00:00"),
        ("Nov 3 2026 9:05", "2026-11-03 09:05"),
        ("25/11/2026 9:05", "2026-11-25 09:05"),
        ("6/6/2026 9:05", "2026-06-06 09:05"),
        ("9:05", "2026-11-25 09:05"),
    ],
)
@pytest.mark.parametrize("machine", ["UTC", "America/New_York"])
def test_dates_are_printed_in_the_time_zone_of_the_person(
    monkeypatch: pytest.MonkeyPatch, machine: str, value: object, text: str
) -> None:
    monkeypatch.setenv("TZ", machine)
    assert render('{{ variables.at | date: "%Y-%m-%d %H:%M" }}', at=value) == text


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-25 15:30 JST",
        "5/6/2026",
        "05.06.26 10:00",
        "2026",
        "123",
        "",
        True,
        [1],
        1e20,
        "9999-99-99",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_what_is_not_a_date_is_an_error(value: object) -> None:
    assert error_of('{{ variables.at | date: "%Y" }}.', at=value).reason is Reason.TEMPLATE_ERROR


def test_a_date_format_may_contain_any_text() -> None:
    assert format_date(NOW, "%m月%d日 %H時 %s %% %z", NOW) == "11月25日 19時 1795602600 % +0900"
    assert format_date("2026-11-25T19:30:00", "%s", NOW) == "1795602600"
    assert render("{{ now }}, {{ today }}") == "2026-11-25 19:30:00 +0900, 2026-11-25"


GROWTH = "{% assign s = 'aaaaaaaaaa' %}{% for i in (1..100) %}{% assign s = s | %s %}{% endfor %}{{ s }}"


@pytest.mark.parametrize(
    "template",
    [
        *(GROWTH.replace("%s", grow) for grow in ("append: s", "prepend: s", "replace: 'a', s", "replace: '', s")),
        *(GROWTH.replace("%s", grow) for grow in ("replace_first: 'a', s", "url_encode | append: s")),
        "{% assign l = 'a' | split: ',' %}{% for i in (1..99) %}{% assign l = l | concat: l %}{% endfor %}x",
        "{% assign s = 'a' %}{% for i in (1..99) %}{% capture s %}{{ s }}{{ s }}{% endcapture %}{% endfor %}{{ s }}",
        "{% for i in (1..300000000) %}x{% endfor %}",
        "{% for i in (1..300000000) reversed limit: 2 %}x{% endfor %}",
        "{{ (1..300000000) | join }}",
        "{% if (1..300000000) contains 'a' %}x{% endif %}y",
        "{% assign a = (1..300000000) %}{% unless true and a contains 0.5 %}x{% endunless %}y",
        "{{ (1..300000000) | reverse | first }}",
        "{{ (1..99999999999999999999) | size }}",
        "{{ 9 " + "| times: 9 " * 400 + "}}",
        "{{ 9 " + "| times: 9 " * 1800 + "}}",
        "{% for i in (1..9000) %}{% assign n = n | default: 9 | times: 9 %}{% endfor %}{{ n }}",
        "{% for i in (1..100) %}{% for j in (1..200) %}x{% endfor %}{% endfor %}",
        "{% for i in (1..9999) %}{% endfor %}" * 20,
        "{{" * 9_000,
        "}}" * 2_000 + "{{" * 7_000,
        "{% raw %}" * 2_000,
        "{% doc %}" * 2_000,
        "{% if x %}" * 1_500,
        "{{ a" + "[a" * 1_000 + "]" * 1_000 + "}}",
        "{% if " + " and ".join(["true"] * 700) + " %}x{% endif %}{{ x }}",
        "{{" + " " * 15_000 + "}}",
        "x{{ 1 }}" * 3_000,
        "{% tablerow i in (1..9) %}{% endtablerow %}",
        "{% include 'a' %}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 1 | modulo: 0.0 }}",
        "{{ 'x' | nope }}",
        "{% if %}",
    ],
)
def test_a_template_beyond_a_limit_makes_the_message_invalid(template: str) -> None:
    assert error_of(template).reason is Reason.TEMPLATE_ERROR


def test_the_templates_of_a_message_have_a_time_limit() -> None:
    seconds = count(0.0, 0.5)
    budget = Budget(lambda: next(seconds))
    with pytest.raises(TemplateValueError, match="more than 2 seconds"):
        list(budget.count_steps(iter(range(100))))


def test_all_templates_of_a_message_share_the_number_of_loop_steps() -> None:
    loop = "{% for i in (1..6000) %}{% endfor %}x"
    assert render([loop]) == ["x"]
    assert "10,000 steps" in error_of([loop, loop]).detail
