"""Problems of messages, with the messages and property paths of LINE."""

from __future__ import annotations

import copy
import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.messages import check_messages, check_recipient_rules
from line_core.messages.lengths import grapheme_length, utf16_length

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's models are built on deprecated parts of pydantic
    from linebot.v3.messaging import models

URL = "https://shop.example/a.png"
MESSAGE_ACTION = {"type": "message", "label": "Yes", "text": "yes"}
URI_ACTION = {"type": "uri", "label": "Shop", "uri": "https://shop.example/?a=%20b#c"}
TEXT: dict[str, Any] = {"type": "text", "text": "hello"}

VALID: dict[str, dict[str, Any]] = {
    "text": TEXT,
    "text with emoji": {
        "type": "text",
        "text": "👍 $ and $",
        "emojis": [
            {"index": 3, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"},
            {"index": 9, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "002"},
        ],
        "quoteToken": "q",
    },
    "text v2": {
        "type": "textV2",
        "text": "Hi {name}, {{braces}} {smile}",
        "substitution": {
            "name": {"type": "mention", "mentionee": {"type": "user", "userId": "U" + "0" * 32}},
            "smile": {"type": "emoji", "productId": "1", "emojiId": "2"},
        },
    },
    "sticker": {"type": "sticker", "packageId": "446", "stickerId": "1988"},
    "image": {"type": "image", "originalContentUrl": URL, "previewImageUrl": URL},
    "video": {
        "type": "video",
        "originalContentUrl": URL,
        "previewImageUrl": URL,
        "trackingId": "a-.=,+*()%$&;:@{}!?<>[]",
    },
    "audio": {"type": "audio", "originalContentUrl": URL, "duration": 60_000},
    "location": {"type": "location", "title": "t", "address": "a", "latitude": 35.6, "longitude": 139.7},
    "coupon": {"type": "coupon", "couponId": "01K0", "deliveryTag": "spring_1"},
    "imagemap": {
        "type": "imagemap",
        "baseUrl": "https://shop.example/map",
        "altText": "map",
        "baseSize": {"width": 1040, "height": 520},
        "actions": [
            {"type": "uri", "linkUri": "tel:09001234567", "area": {"x": 0, "y": 0, "width": 520, "height": 520}},
            {"type": "message", "text": "hi", "area": {"x": 520, "y": 0, "width": 520, "height": 520}},
            {"type": "clipboard", "clipboardText": "code", "area": {"x": 0, "y": 0, "width": 1, "height": 1}},
        ],
        "video": {
            "originalContentUrl": URL,
            "previewImageUrl": URL,
            "area": {"x": 0, "y": 0, "width": 1, "height": 1},
            "externalLink": {"linkUri": URL, "label": "more"},
        },
    },
    "buttons": {
        "type": "template",
        "altText": "menu",
        "template": {
            "type": "buttons",
            "thumbnailImageUrl": URL,
            "imageAspectRatio": "square",
            "imageBackgroundColor": "#FFFFFF",
            "title": "Menu",
            "text": "x" * 60,
            "defaultAction": {"type": "uri", "uri": URL},
            "actions": [
                MESSAGE_ACTION,
                {
                    "type": "postback",
                    "label": "Buy",
                    "data": "x" * 300,
                    "inputOption": "openKeyboard",
                    "fillInText": "1",
                },
                {
                    "type": "datetimepicker",
                    "label": "When",
                    "data": "",
                    "mode": "datetime",
                    "initial": "2026-01-31T23:59",
                },
                {"type": "clipboard", "label": "Copy", "clipboardText": "code"},
            ],
        },
    },
    "confirm": {
        "type": "template",
        "altText": "sure",
        "template": {"type": "confirm", "text": "Sure?", "actions": [MESSAGE_ACTION, URI_ACTION]},
    },
    "carousel": {
        "type": "template",
        "altText": "two",
        "template": {
            "type": "carousel",
            "columns": [
                {"title": "a", "text": "x" * 60, "actions": [MESSAGE_ACTION]},
                {"title": "b", "text": "y", "actions": [URI_ACTION]},
            ],
        },
    },
    "image carousel": {
        "type": "template",
        "altText": "pictures",
        "template": {"type": "image_carousel", "columns": [{"imageUrl": URL, "action": {"type": "uri", "uri": URL}}]},
    },
    "flex": {
        "type": "flex",
        "altText": "card",
        "contents": {
            "type": "bubble",
            "size": "mega",
            "styles": {"footer": {"separator": True, "separatorColor": "#00000080"}},
            "hero": {"type": "image", "url": URL, "size": "full", "aspectRatio": "20:13", "aspectMode": "cover"},
            "body": {
                "type": "box",
                "layout": "vertical",
                "spacing": "md",
                "paddingAll": "20px",
                "offsetTop": "-3px",
                "background": {
                    "type": "linearGradient",
                    "angle": "90deg",
                    "startColor": "#ff0000",
                    "endColor": "#0000ff",
                },
                "contents": [
                    {"type": "text", "text": "Brown Cafe", "weight": "bold", "size": "xl"},
                    {"type": "text", "contents": [{"type": "span", "text": "a", "size": "12px"}]},
                    {
                        "type": "box",
                        "layout": "baseline",
                        "contents": [{"type": "icon", "url": URL, "size": "sm"}, {"type": "filler"}],
                    },
                    {"type": "separator", "margin": "xxl"},
                    {"type": "button", "style": "primary", "height": "sm", "action": URI_ACTION},
                ],
            },
        },
    },
    "flex with a video": {
        "type": "flex",
        "altText": "film",
        "contents": {
            "type": "bubble",
            "hero": {
                "type": "video",
                "url": "https://shop.example/a.mp4",
                "previewUrl": URL,
                "altContent": {"type": "image", "url": URL},
                "aspectRatio": "16:9",
            },
        },
    },
    "flex carousel": {
        "type": "flex",
        "altText": "cards",
        "contents": {"type": "carousel", "contents": [{"type": "bubble", "size": "kilo"}] * 12},
    },
    "quick replies": {
        **TEXT,
        "quickReply": {
            "items": [
                {"type": "action", "imageUrl": URL, "action": MESSAGE_ACTION},
                {"type": "action", "action": {"type": "camera", "label": "Camera"}},
                {"type": "action", "action": {"type": "cameraRoll", "label": "Roll"}},
                {"type": "action", "action": {"type": "location", "label": "Here"}},
            ]
        },
        "sender": {"name": "Cony", "iconUrl": URL},
    },
}


def problems_of(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.property, problem.message) for problem in check_messages([message])]


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    """Return a valid message with one property changed, or removed if the value is `...`."""
    message = copy.deepcopy(VALID[name])
    *parents, last = [
        int(part) if part.isdigit() else part for part in path.replace("[", ".").replace("]", "").split(".")
    ]
    target: Any = message
    for part in parents:
        target = target[part]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return message


@pytest.mark.parametrize("name", VALID)
def test_a_message_of_every_type_is_valid(name: str) -> None:
    assert problems_of(VALID[name]) == []


@pytest.mark.parametrize("name", VALID)
def test_a_valid_message_is_valid_for_the_official_sdk_in_both_directions(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = models.Message.from_dict(copy.deepcopy(VALID[name]))
    assert parsed.type == VALID[name]["type"]
    assert problems_of(parsed.to_dict()) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("text", "text"),
        ("text", "type"),
        ("text with emoji", "emojis[0].index"),
        ("text with emoji", "emojis[1].productId"),
        ("text with emoji", "emojis[1].emojiId"),
        ("text v2", "substitution.name.mentionee"),
        ("text v2", "substitution.name.mentionee.userId"),
        ("text v2", "substitution.smile.emojiId"),
        ("sticker", "packageId"),
        ("sticker", "stickerId"),
        ("image", "originalContentUrl"),
        ("image", "previewImageUrl"),
        ("video", "previewImageUrl"),
        ("audio", "duration"),
        ("location", "title"),
        ("location", "address"),
        ("location", "latitude"),
        ("location", "longitude"),
        ("coupon", "couponId"),
        ("imagemap", "baseUrl"),
        ("imagemap", "altText"),
        ("imagemap", "baseSize.height"),
        ("imagemap", "actions"),
        ("imagemap", "actions[0].area"),
        ("imagemap", "actions[0].linkUri"),
        ("imagemap", "actions[1].text"),
        ("imagemap", "actions[2].clipboardText"),
        ("imagemap", "video.area.width"),
        ("buttons", "altText"),
        ("buttons", "template"),
        ("buttons", "template.type"),
        ("buttons", "template.text"),
        ("buttons", "template.actions"),
        ("buttons", "template.actions[0].label"),
        ("buttons", "template.actions[1].data"),
        ("buttons", "template.actions[2].mode"),
        ("buttons", "template.actions[3].clipboardText"),
        ("confirm", "template.actions[1].uri"),
        ("carousel", "template.columns[1].text"),
        ("image carousel", "template.columns[0].imageUrl"),
        ("image carousel", "template.columns[0].action"),
        ("flex", "contents"),
        ("flex", "contents.body.layout"),
        ("flex", "contents.body.contents"),
        ("flex", "contents.body.contents[0].text"),
        ("flex", "contents.body.contents[4].action"),
        ("flex", "contents.body.contents[4].action.label"),
        ("flex", "contents.hero.url"),
        ("flex with a video", "contents.hero.altContent"),
        ("flex carousel", "contents.contents"),
        ("quick replies", "quickReply.items"),
        ("quick replies", "quickReply.items[0].action"),
        ("quick replies", "quickReply.items[1].action.label"),
    ],
)
def test_a_missing_required_property_is_a_problem(name: str, path: str) -> None:
    assert problems_of(changed(name, path, ...)) == [(f"messages[0].{path}", "May not be empty")]


LONG = "x" * 2001


@pytest.mark.parametrize(
    ("name", "path", "value", "message"),
    [
        ("text", "text", "", "May not be empty"),
        ("text", "text", "x" * 5001, "Length must be between 0 and 5000"),
        ("text", "text", "👍" * 2501, "Length must be between 0 and 5000"),
        ("text", "text", 7, "Must be of type string"),
        ("text", "type", "hologram", None),
        ("text with emoji", "emojis[0].index", 2, "invalid emoji index"),
        ("text with emoji", "emojis[1].index", 3, "invalid emoji index"),
        ("image", "originalContentUrl", "http://shop.example/a.png", "invalid uri"),
        ("image", "originalContentUrl", "https://shop.example/日本.png", "invalid uri"),
        ("image", "originalContentUrl", "https://" + LONG, "Length must be between 0 and 2000"),
        ("video", "trackingId", "with space", "invalid property"),
        ("video", "trackingId", "x" * 101, "Length must be between 0 and 100"),
        ("audio", "duration", 1.5, "Must be of type integer"),
        ("location", "title", "x" * 101, "Length must be between 0 and 100"),
        ("location", "latitude", 91, "Must be less than or equal to 90"),
        ("coupon", "deliveryTag", "no-dash", "invalid property"),
        ("imagemap", "baseSize.width", 1000, "Must be one of the following values: [1040]"),
        ("imagemap", "altText", "x" * 1501, "Length must be between 0 and 1500"),
        ("imagemap", "actions[0].linkUri", "https://" + "x" * 1000, "Length must be between 0 and 1000"),
        ("imagemap", "actions[1].text", "x" * 401, "Length must be between 0 and 400"),
        ("imagemap", "actions[0].area.x", -1, "Must be greater than or equal to 0"),
        ("buttons", "template.text", "x" * 61, "Length must be between 0 and 60"),
        ("buttons", "template.title", "x" * 41, "Length must be between 0 and 40"),
        ("buttons", "template.actions", [MESSAGE_ACTION] * 5, "Size must be between 1 and 4"),
        ("buttons", "template.actions[0].label", "x" * 21, "Length must be between 0 and 20"),
        ("buttons", "template.actions[0].text", "x" * 301, "Length must be between 0 and 300"),
        ("buttons", "template.actions[1].data", "x" * 301, "Length must be between 0 and 300"),
        ("buttons", "template.actions[2].initial", "2026-01-31", "invalid property"),
        ("buttons", "template.imageBackgroundColor", "white", "invalid property"),
        ("buttons", "template.actions[0].type", "camera", None),
        ("confirm", "template.actions", [MESSAGE_ACTION], "Size must be between 2 and 2"),
        ("confirm", "template.text", "x" * 241, "Length must be between 0 and 240"),
        ("confirm", "template.actions[1].uri", "javascript:alert(1)", "invalid uri"),
        ("carousel", "template.columns", [], "Size must be between 1 and 10"),
        ("image carousel", "template.columns[0].action.label", "x" * 13, "Length must be between 0 and 12"),
        ("flex", "contents.hero.aspectRatio", "1:4", "invalid property"),
        ("flex", "contents.hero.aspectRatio", "wide", "invalid property"),
        ("flex", "contents.body.contents[0].size", "huge", "invalid property"),
        ("flex", "contents.body.contents[0].color", "red", None),
        ("flex", "contents.body.contents[0].text", "", "May not be empty"),
        ("flex", "contents.body.contents[4].action.label", "x" * 41, "Length must be between 0 and 40"),
        ("flex carousel", "contents.contents", [{"type": "bubble"}] * 13, "Size must be between 1 and 12"),
        ("quick replies", "quickReply.items", [], "Size must be between 1 and 13"),
        ("quick replies", "sender.name", "x" * 21, "Length must be between 0 and 20"),
    ],
)
def test_an_invalid_property_has_the_message_of_line(name: str, path: str, value: Any, message: str | None) -> None:
    try:
        problems = problems_of(changed(name, path, value))
    except KeyError:
        problems = []
    assert f"messages[0].{path}" in {problem[0] for problem in problems}
    if message is not None:
        assert (f"messages[0].{path}", message) in problems


@pytest.mark.parametrize("count", [0, 6])
def test_a_request_has_1_to_5_messages(count: int) -> None:
    assert [problem[:2] for problem in check_messages([TEXT] * count)] == [("messages", "Size must be between 1 and 5")]


@pytest.mark.parametrize("messages", [None, "text", {"type": "text"}, 7])
def test_a_value_that_is_not_a_list_of_messages_is_a_problem(messages: Any) -> None:
    (problem,) = check_messages(messages)
    assert problem.property == "messages"


def test_columns_must_have_the_same_parts() -> None:
    assert problems_of(changed("carousel", "template.columns[1].actions", [MESSAGE_ACTION] * 2)) == [
        ("messages[0].template.columns[1].actions", "Must be the same in all columns and bubbles")
    ]
    assert problems_of(changed("carousel", "template.columns[1].title", ...)) == [
        ("messages[0].template.columns[1].title", "Must be the same in all columns and bubbles")
    ]


def test_bubbles_of_a_carousel_must_have_one_size_and_no_video() -> None:
    bubbles = [{"type": "bubble", "size": "kilo"}, {"type": "bubble"}]
    assert problems_of(changed("flex carousel", "contents.contents", bubbles)) == [
        ("messages[0].contents.contents[1].size", "Must be the same in all columns and bubbles")
    ]
    bubbles_with_video = [VALID["flex with a video"]["contents"]]
    assert [name for name, _ in problems_of(changed("flex carousel", "contents.contents", bubbles_with_video))] == [
        "messages[0].contents.contents[0].hero.type"
    ]


PICKER = {"type": "datetimepicker", "label": "When", "data": "x", "mode": "date"}
ANIMATED = {"type": "image", "url": URL, "animated": True}


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"min": "2026-01-01", "max": "2026-01-02", "initial": "2026-01-01"}, []),
        ({"min": "2026-01-01", "max": "2026-01-01"}, ["max"]),
        ({"min": "2026-01-02", "max": "2026-01-01"}, ["max"]),
        ({"initial": "2026-02-30"}, ["initial"]),
        ({"min": "2026-13-01"}, ["min"]),
        ({"max": "2023-02-29"}, ["max"]),
        ({"max": "2024-02-29"}, []),
        ({"mode": "time", "min": "09:00", "max": "21:00"}, []),
        ({"mode": "time", "min": "21:00", "max": "09:00"}, ["max"]),
        ({"mode": "datetime", "min": "2026-01-01T09:00", "max": "2026-01-01t21:00"}, []),
        ({"mode": "datetime", "min": "2026-01-01T09:00", "max": "2026-01-01T09:00"}, ["max"]),
        ({"mode": "datetime", "initial": "2026-04-31T09:00"}, ["initial"]),
    ],
)
def test_values_of_a_datetime_picker_are_dates_in_order(values: dict[str, str], wrong: list[str]) -> None:
    found = problems_of(changed("buttons", "template.actions[0]", PICKER | values))
    assert found == [(f"messages[0].template.actions[0].{name}", "invalid property") for name in wrong]


@pytest.mark.parametrize(("count", "is_valid"), [(10, True), (11, False)])
def test_a_message_has_at_most_10_animated_images(count: int, is_valid: bool) -> None:
    parts = [ANIMATED] * count + [ANIMATED | {"animated": False}]
    box = {"type": "box", "layout": "vertical", "contents": parts}
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "horizontal", "contents": [box]}}
    assert (problems_of(changed("flex", "contents", bubble)) == []) is is_valid
    bubbles = [{"type": "bubble", "hero": ANIMATED}] * count
    assert (problems_of(changed("flex carousel", "contents.contents", bubbles)) == []) is is_valid


@pytest.mark.parametrize(
    ("size", "is_valid"), [(..., True), ("kilo", True), ("giga", True), ("nano", False), ("hecto", False)]
)
def test_a_bubble_with_a_video_is_large(size: Any, is_valid: bool) -> None:
    message = changed("flex with a video", "contents.size", "mega" if size is ... else size)
    if size is ...:
        del message["contents"]["size"]
    assert (problems_of(message) == []) is is_valid


@pytest.mark.parametrize(
    ("action", "is_valid"), [(URI_ACTION, True), (MESSAGE_ACTION, False), ({"type": "postback", "data": "x"}, False)]
)
def test_the_action_of_a_video_opens_a_uri(action: dict[str, Any], is_valid: bool) -> None:
    assert (problems_of(changed("flex with a video", "contents.hero.action", action)) == []) is is_valid


GRADIENT = {"type": "linearGradient", "angle": "0deg", "startColor": "#FFFFFF", "endColor": "#000000"}


@pytest.mark.parametrize(
    ("path", "value", "is_valid"),
    [
        ("background", GRADIENT | {"angle": "359.9deg"}, True),
        ("background", GRADIENT | {"angle": "360deg"}, False),
        ("background", GRADIENT | {"angle": "1000deg"}, False),
        ("background", GRADIENT | {"centerColor": "#AAAAAA", "centerPosition": "100%"}, True),
        ("background", GRADIENT | {"centerColor": "#AAAAAA", "centerPosition": "99.5%"}, True),
        ("background", GRADIENT | {"centerColor": "#AAAAAA", "centerPosition": "101%"}, False),
        ("background", GRADIENT | {"centerColor": "#AAAAAA", "centerPosition": "100.1%"}, False),
        ("contents[0].lineSpacing", "0.5px", True),
        ("contents[0].lineSpacing", "20px", True),
        ("contents[0].lineSpacing", "0px", False),
        ("contents[0].lineSpacing", "0.0px", False),
    ],
)
def test_angles_positions_and_line_spacing_have_a_range(path: str, value: Any, is_valid: bool) -> None:
    assert (problems_of(changed("flex", f"contents.body.{path}", value)) == []) is is_valid


@pytest.mark.parametrize(
    ("name", "is_valid"), [("LINE", False), ("LINE Shop", False), ("Shop@LINE", False), ("Online Shop", True)]
)
def test_a_sender_cannot_be_called_line(name: str, is_valid: bool) -> None:
    assert (problems_of(changed("quick replies", "sender.name", name)) == []) is is_valid


@pytest.mark.parametrize(
    ("name", "path", "value", "is_unknown"),
    [
        ("text", "type", "hologram", True),
        ("text", "type", "box", False),
        ("text", "type", "Text", False),
        ("text", "type", " TEXTV2", False),
        ("text", "type", "", False),
        ("text", "type", 7, False),
        ("buttons", "template.type", "wheel", True),
        ("buttons", "template.actions[0].type", "pay", True),
        ("buttons", "template.actions[0].type", "camera", False),
        ("flex", "contents.type", "grid", True),
        ("flex", "contents.body.contents[0].type", "poll", True),
        ("flex", "contents.body.contents[0].type", "video", False),
        ("text v2", "substitution.smile.type", "sticker_inline", True),
        ("flex", "contents.size", "tera", False),
    ],
)
def test_a_type_that_no_schema_names_is_marked(name: str, path: str, value: Any, is_unknown: bool) -> None:
    problems = check_messages([changed(name, path, value)])
    assert problems
    assert all(problem.is_unknown_type for problem in problems) is is_unknown


def test_mentions_are_for_chats_and_tracking_ids_for_users() -> None:
    mention, video = VALID["text v2"], VALID["video"]
    assert check_recipient_rules([mention, VALID["text"]], is_for_chat=True) == []
    assert check_recipient_rules([video], is_for_chat=False) == []
    assert [problem.property for problem in check_recipient_rules([TEXT, mention], is_for_chat=False)] == [
        "messages[1].substitution"
    ]
    assert [problem.property for problem in check_recipient_rules([video], is_for_chat=True)] == [
        "messages[0].trackingId"
    ]


def test_a_text_without_image_and_title_may_be_longer() -> None:
    message = changed("buttons", "template.text", "x" * 160)
    for name in ("title", "thumbnailImageUrl"):
        del message["template"][name]
    assert problems_of(message) == []
    message["template"]["text"] += "x"
    assert problems_of(message) == [("messages[0].template.text", "Length must be between 0 and 160")]


@pytest.mark.parametrize(("kilobytes", "is_valid"), [(29, True), (31, False)])
def test_a_bubble_has_at_most_30_kilobytes(kilobytes: int, is_valid: bool) -> None:
    parts = [{"type": "text", "text": "x" * 1000}] * kilobytes
    message = changed("flex", "contents.body.contents", parts)
    assert (problems_of(message) == []) == is_valid


def test_the_layout_of_a_box_limits_its_contents() -> None:
    problems = problems_of(changed("flex", "contents.body.contents[2].contents[0]", {"type": "separator"}))
    assert problems == [
        (
            "messages[0].contents.body.contents[2].contents[0].type",
            "Must be one of the following values: [icon, text, filler]",
        )
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{name", "invalid braces"),
        ("name}", "invalid braces"),
        ("{}", "invalid braces"),
        ("{nobody}", "no substitution for {nobody}"),
    ],
)
def test_braces_must_be_paired_and_substituted(text: str, message: str) -> None:
    assert problems_of(changed("text v2", "text", text)) == [("messages[0].text", message)]


def test_a_message_has_at_most_20_mentions() -> None:
    assert problems_of(changed("text v2", "text", "{name}" * 20)) == []
    assert [name for name, _ in problems_of(changed("text v2", "text", "{name}" * 21))] == ["messages[0].substitution"]


def test_display_text_excludes_text() -> None:
    postback = {"type": "postback", "label": "x", "data": "x", "displayText": "a", "text": "b"}
    assert problems_of(changed("buttons", "template.actions[0]", postback)) == [
        ("messages[0].template.actions[0].text", "Must not be specified")
    ]


def test_labels_are_measured_in_grapheme_clusters() -> None:
    family = "👨‍👩‍👧‍👦"
    assert problems_of(changed("buttons", "template.actions[0].label", family * 20)) == []
    assert problems_of(changed("buttons", "template.actions[0].label", family * 21)) != []


def test_unknown_properties_are_valid() -> None:
    assert problems_of(TEXT | {"novelty": {"deep": [1]}}) == []


def test_too_deep_nesting_is_a_problem() -> None:
    box: dict[str, Any] = {"type": "box", "layout": "vertical", "contents": []}
    for _ in range(3000):
        box = {"type": "box", "layout": "vertical", "contents": [box]}
    assert [problem.message for problem in check_messages([changed("flex", "contents.body", box)])] == [
        "nested too deeply"
    ]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "contents", "action", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(value=JSON_VALUES)
def test_any_json_value_can_be_checked(value: Any) -> None:
    for problem in check_messages([value]):
        assert problem.property.startswith("messages[0]")
        assert problem.message


@given(value=JSON_VALUES, kind=st.sampled_from(["text", "textV2", "template", "flex", "imagemap", "video"]))
def test_any_json_value_of_a_known_type_can_be_checked(value: Any, kind: str) -> None:
    message = value if isinstance(value, dict) else {"text": value, "contents": value, "template": value}
    problems = check_messages([{**message, "type": kind}])
    assert all(problem.property.startswith("messages[0]") for problem in problems)
    assert json.dumps([problem._asdict() for problem in problems])


@pytest.mark.parametrize(
    ("text", "utf16_units", "graphemes"),
    [
        ("", 0, 0),
        ("abc", 3, 3),
        ("日本", 2, 2),
        ("🍎", 2, 1),
        ("👨‍👩‍👧‍👦", 11, 1),
        ("e\u0301", 2, 1),
        ("🇯🇵🇹🇼", 8, 2),
        ("สวัสดี", 6, 4),
        ("\r\n", 2, 1),
    ],
)
def test_text_lengths_are_those_of_line(text: str, utf16_units: int, graphemes: int) -> None:
    assert (utf16_length(text), grapheme_length(text)) == (utf16_units, graphemes)


@given(text=st.text())
def test_utf16_length_is_that_of_the_encoding(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_the_problem_of_a_long_text_contains_its_length_in_utf16_units() -> None:
    assert list(map(str, check_messages([TEXT | {"text": "👍" * 2501}]))) == [
        "messages[0].text: 5002 of 5000 characters"
    ]
