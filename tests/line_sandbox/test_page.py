"""The page at `/`, in a headless Chromium. Without Chromium these tests are skipped, except the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.chromium import CHROMIUM, open_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.chromium import Page
    from tests.support.sandbox_clients import SandboxClient

URL = "https://shop.example/a.png"
ACTION = {"type": "message", "label": "Yes please", "text": "yes"}

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
async def page(sandbox: SandboxClient, tmp_path: Path) -> AsyncIterator[Page]:
    async with open_page(sandbox.url + "/", tmp_path / "browser") as opened:
        await opened.wait_until("document.querySelector('#connection')?.innerText === 'connected'")
        yield opened
        assert opened.errors == []


def send(sandbox: SandboxClient, *messages: dict[str, Any]) -> None:
    body = {"to": sandbox.followers(1)[0], "messages": list(messages)}
    assert sandbox.request("POST", "/v2/bot/message/push", json=body).status_code == 200


async def send_and_wait(page: Page, sandbox: SandboxClient, *messages: dict[str, Any]) -> None:
    send(sandbox, *messages)
    await page.wait_until(f"document.querySelectorAll('.message').length === {len(messages)}")


@needs_browser
async def test_the_page_shows_figures_requests_and_users(page: Page, sandbox: SandboxClient) -> None:
    followers = sandbox.followers(2)
    name = sandbox.request("GET", f"/v2/bot/profile/{followers[0]}").json()["displayName"]
    sandbox.set_user(followers[1], "blocked")
    sandbox.request("GET", "/v2/bot/profile/U123")
    await page.wait_until("document.querySelectorAll('#requests tr').length === 1")
    assert await page.texts("#requests .chip") == ["200 × 1", "400 × 1"]
    assert await page.texts("#requests .endpoint") == ["GET /v2/bot/profile/{userId}"]
    await page.wait_until("document.querySelector('#user-counts').innerText.startsWith('999 following')")
    assert await page.text("#user-counts") == "999 following · 51 blocked · 0 left"
    assert name in await page.texts("#users .name")
    assert (await page.texts("#users .chip"))[0] == "blocked"
    assert (await page.texts(".figure strong"))[:3] == ["999", "2", "0"]
    assert await page.text("#account") == "Sandbox Shop @56a35816"


@needs_browser
async def test_delivered_messages_appear_without_a_reload(page: Page, sandbox: SandboxClient) -> None:
    assert await page.text("#messages") == "No messages delivered yet."
    await send_and_wait(page, sandbox, {"type": "text", "text": "Hello 👋\nagain"})
    assert await page.text(".bubble") == "Hello 👋\nagain"
    send(sandbox, {"type": "text", "text": "second message"})
    await page.wait_until("document.querySelector('.bubble').innerText === 'second message'")
    assert await page.texts(".delivery .method") == ["push", "push"]


@needs_browser
async def test_messages_of_each_type_are_rendered(page: Page, sandbox: SandboxClient, tmp_path: Path) -> None:
    await send_and_wait(
        page,
        sandbox,
        {"type": "text", "text": "choose", "quickReply": {"items": [{"type": "action", "action": ACTION}]}},
        {"type": "sticker", "packageId": "446", "stickerId": "1988"},
        {"type": "image", "originalContentUrl": URL, "previewImageUrl": URL},
        {"type": "location", "title": "Tower", "address": "Tokyo", "latitude": 1, "longitude": 2},
        {"type": "coupon", "couponId": "01K0", "sender": {"name": "Cony"}},
    )
    assert await page.texts(".quick-replies .button") == ["Yes please"]
    assert await page.text(".sticker small") == "sticker 446/1988"
    await page.wait_until("document.querySelector('.no-picture, img.picture') !== null")
    assert "Tower" in await page.text(".message:nth-of-type(4) .bubble, .message:nth-child(5) .bubble")
    assert await page.text(".sender") == "Cony"
    await page.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


@needs_browser
async def test_templates_are_rendered_with_their_buttons(page: Page, sandbox: SandboxClient) -> None:
    column = {"title": "First", "text": "column", "actions": [ACTION]}
    await send_and_wait(
        page,
        sandbox,
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
    assert await page.texts(".template.confirm .content") == ["Sure?"]
    assert await page.texts(".carousel .card .title") == ["First", "First"]
    assert await page.evaluate("document.querySelectorAll('.carousel').length") == 2


@needs_browser
async def test_flex_messages_are_rendered(page: Page, sandbox: SandboxClient) -> None:
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
    await send_and_wait(
        page,
        sandbox,
        {"type": "flex", "altText": "one", "contents": bubble},
        {"type": "flex", "altText": "two", "contents": carousel},
    )
    assert await page.evaluate("document.querySelectorAll('.flex-bubble').length") == 3
    find = "[...document.querySelectorAll('.flex-text')].find((element) => element.innerText === '{}')"
    style = f"getComputedStyle({find.format('Brown Cafe')})"
    assert await page.evaluate(f"[{style}.fontWeight, {style}.fontSize, {style}.color]") == [
        "700",
        "18px",
        "rgb(255, 0, 0)",
    ]
    left = await page.evaluate(f"{find.format('left')}.getBoundingClientRect().toJSON()")
    right = await page.evaluate(f"{find.format('right')}.getBoundingClientRect().toJSON()")
    assert left["top"] == right["top"]
    assert left["left"] < right["left"]
    assert "ab" in await page.texts(".flex-text")
    assert await page.texts(".flex-box .button.primary") == ["Yes please"] * 3


@needs_browser
async def test_scripts_in_a_message_do_not_run(page: Page, sandbox: SandboxClient) -> None:
    malicious = '<img src=x onerror="window.bad=1"><script>window.bad=1</script>'
    await send_and_wait(page, sandbox, {"type": "text", "text": malicious})
    assert await page.text(".bubble") == malicious
    assert await page.evaluate("window.bad === undefined")


@needs_browser
async def test_the_page_reports_that_the_sandbox_does_not_respond(page: Page, sandbox: SandboxClient) -> None:
    await page.evaluate("window.fetch = () => Promise.reject(new Error('gone')); 1")
    await page.wait_until("document.querySelector('#connection').className === 'disconnected'")
    assert "does not respond" in await page.text("#connection")
    assert sandbox.get("health")["status"] == "ok"


def test_the_page_and_its_files_are_served_with_a_content_security_policy(sandbox: SandboxClient) -> None:
    page = requests.get(sandbox.url + "/", timeout=10)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for name in ("page.css", "page.js", "dom.js", "messages.js", "flex.js"):
        response = requests.get(f"{sandbox.url}/sandbox/page/{name}", timeout=10)
        assert response.status_code == 200
        assert response.content
    assert sandbox.get("summary")["requests"] == {}, "requests for the page are not counted"
