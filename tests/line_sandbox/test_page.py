"""The page at `/`, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.chromium import CHROMIUM, open_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.chromium import Page
    from tests.support.sandbox_clients import Control

URL = "https://shop.example/a.png"
ACTION = {"type": "message", "label": "Yes please", "text": "yes"}

with_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture
async def page(control: Control, tmp_path: Path) -> AsyncIterator[Page]:
    async with open_page(control.url + "/", tmp_path / "browser") as opened:
        await opened.until("document.querySelector('#state')?.innerText === 'live'")
        yield opened
        assert opened.complaints == []


def send(control: Control, *messages: dict[str, Any]) -> None:
    body = {"to": control.followers(1)[0], "messages": list(messages)}
    assert control.line("POST", "/v2/bot/message/push", json=body).status_code == 200


async def shown(page: Page, control: Control, *messages: dict[str, Any]) -> None:
    send(control, *messages)
    await page.until(f"document.querySelectorAll('.message').length === {len(messages)}")


@with_browser
async def test_figures_requests_and_people_are_shown(page: Page, control: Control) -> None:
    people = control.followers(2)
    name = control.line("GET", f"/v2/bot/profile/{people[0]}").json()["displayName"]
    control.set_user(people[1], "blocked")
    control.line("GET", "/v2/bot/profile/U123")
    await page.until("document.querySelectorAll('#requests tr').length === 1")
    assert await page.texts("#requests .chip") == ["200 × 1", "400 × 1"]
    assert await page.texts("#requests .endpoint") == ["GET /v2/bot/profile/{userId}"]
    await page.until("document.querySelector('#people-counts').innerText.startsWith('999 follow')")
    assert await page.text("#people-counts") == "999 follow · 51 blocked · 0 left"
    assert name in await page.texts("#people .name")
    assert (await page.texts("#people .chip"))[0] == "blocked"
    assert (await page.texts(".figure strong"))[:3] == ["999", "2", "0"]
    assert await page.text("#account") == "Sandbox Shop @56a35816"


@with_browser
async def test_what_is_delivered_appears_by_itself(page: Page, control: Control) -> None:
    assert await page.text("#messages") == "Nothing has been delivered yet."
    await shown(page, control, {"type": "text", "text": "Hello 👋\nagain"})
    assert await page.text(".bubble") == "Hello 👋\nagain"
    send(control, {"type": "text", "text": "the newest"})
    await page.until("document.querySelector('.bubble').innerText === 'the newest'")
    assert await page.texts(".delivery .way") == ["push", "push"]


@with_browser
async def test_every_kind_of_message_is_drawn(page: Page, control: Control, tmp_path: Path) -> None:
    await shown(
        page,
        control,
        {"type": "text", "text": "choose", "quickReply": {"items": [{"type": "action", "action": ACTION}]}},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {"type": "image", "originalContentUrl": URL, "previewImageUrl": URL},
        {"type": "location", "title": "Tower", "address": "Tokyo", "latitude": 1, "longitude": 2},
        {"type": "coupon", "couponId": "01K0", "sender": {"name": "Cony"}},
    )
    assert await page.texts(".replies .button") == ["Yes please"]
    assert await page.text(".sticker small") == "sticker 446/1988"
    await page.until("document.querySelector('.no-picture, img.picture') !== null")
    assert "Tower" in await page.text(".message:nth-of-type(4) .bubble, .message:nth-child(5) .bubble")
    assert await page.text(".sender") == "Cony"
    await page.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


@with_browser
async def test_templates_are_drawn_with_their_buttons(page: Page, control: Control) -> None:
    column = {"title": "First", "text": "column", "actions": [ACTION]}
    await shown(
        page,
        control,
        {
            "type": "template",
            "altText": "x",
            "template": {"type": "buttons", "title": "Menu", "text": "Choose", "actions": [ACTION, ACTION]},
        },
        {
            "type": "template",
            "altText": "x",
            "template": {"type": "confirm", "text": "Sure?", "actions": [ACTION, ACTION]},
        },
        {"type": "template", "altText": "x", "template": {"type": "carousel", "columns": [column, column]}},
        {
            "type": "template",
            "altText": "x",
            "template": {"type": "image_carousel", "columns": [{"imageUrl": URL, "action": ACTION}]},
        },
    )
    assert await page.texts(".template.buttons .title") == ["Menu"]
    assert await page.texts(".template.buttons .button") == ["Yes please"] * 2
    assert await page.texts(".template.confirm .words") == ["Sure?"]
    assert await page.texts(".carousel .card .title") == ["First", "First"]
    assert await page.value("document.querySelectorAll('.carousel').length") == 2


@with_browser
async def test_flex_messages_are_drawn(page: Page, control: Control) -> None:
    body = {
        "type": "box",
        "layout": "vertical",
        "contents": [
            {"type": "text", "text": "Brown Cafe", "weight": "bold", "size": "xl", "color": "#ff0000"},
            {"type": "text", "contents": [{"type": "span", "text": "a"}, {"type": "span", "text": "b"}]},
            {
                "type": "box",
                "layout": "horizontal",
                "contents": [{"type": "text", "text": "left"}, {"type": "text", "text": "right"}],
            },
            {"type": "separator"},
            {"type": "button", "style": "primary", "action": ACTION},
        ],
    }
    bubble = {"type": "bubble", "body": body, "hero": {"type": "image", "url": URL, "size": "full"}}
    carousel = {"type": "carousel", "contents": [{"type": "bubble", "body": body}] * 2}
    await shown(
        page,
        control,
        {"type": "flex", "altText": "one", "contents": bubble},
        {"type": "flex", "altText": "two", "contents": carousel},
    )
    assert await page.value("document.querySelectorAll('.flex-bubble').length") == 3
    style = (
        "getComputedStyle([...document.querySelectorAll('.flex-text')].find((one) => one.innerText === 'Brown Cafe'))"
    )
    assert await page.value(f"[{style}.fontWeight, {style}.fontSize, {style}.color]") == [
        "700",
        "18px",
        "rgb(255, 0, 0)",
    ]
    side = (
        "[...document.querySelectorAll('.flex-text')].find((one) => one.innerText === '{}').getBoundingClientRect().{}"
    )
    assert await page.value(side.format("left", "top")) == await page.value(side.format("right", "top"))
    assert await page.value(side.format("left", "left")) < await page.value(side.format("right", "left"))
    assert "ab" in await page.texts(".flex-text")
    assert await page.texts(".flex-box .button.primary") == ["Yes please"] * 3


@with_browser
async def test_nothing_in_a_message_runs(page: Page, control: Control) -> None:
    wicked = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>'
    await shown(page, control, {"type": "text", "text": wicked})
    assert await page.text(".bubble") == wicked
    assert await page.value("window.bad === undefined")


@with_browser
async def test_the_page_says_when_the_sandbox_is_gone(page: Page, control: Control) -> None:
    await page.value("window.fetch = () => Promise.reject(new Error('gone')); 1")
    await page.until("document.querySelector('#state').className === 'dead'")
    assert "does not answer" in await page.text("#state")
    assert control.get("health")["status"] == "ok"


def test_the_page_and_its_parts_are_served_with_a_policy(control: Control) -> None:
    page = requests.get(control.url + "/", timeout=10)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for part in ("page.css", "page.js", "dom.js", "messages.js", "flex.js"):
        answer = requests.get(f"{control.url}/sandbox/page/{part}", timeout=10)
        assert answer.status_code == 200
        assert answer.content
    assert control.get("summary")["requests"] == {}, "looking on is not asking LINE"
