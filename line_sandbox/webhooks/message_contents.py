"""Message objects of message events, of every type.

Source: LINE Messaging API reference, "Message event".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

_TEXTS = (
    "Hello!",
    "こんにちは",
    "営業時間は何時ですか?",
    "ขอบคุณค่ะ",
    "請問有庫存嗎?",
    "👍",
    "Is the blue one still there? 🙏",
    'a "quoted" word and a \\ backslash',
    "two\nlines",
    "  spaces  ",
    "'; DROP TABLE messages; --",
    "👨‍👩‍👧‍👦 family",
)
_FILE_NAMES = ("invoice.pdf", "見積書.xlsx", "photo of receipt.jpg")
_LOCATIONS = (
    ("Tokyo Tower", "東京都港区芝公園4-2-8", 35.6586, 139.7454),
    ("Wat Arun", "กรุงเทพมหานคร", 13.7437, 100.4889),
)
_TYPES = (*["text"] * 10, *["sticker"] * 3, *["image"] * 2, "video", "audio", "file", "location")
_MENTION_SHARE = 0.05
_EMOJI_SHARE = 0.1


def random_message(rng: random.Random, bot_id: str) -> dict[str, Any]:
    """Return a message object without its id.

    Args:
        rng: Random numbers.
        bot_id: User id of the bot, which some texts mention.
    """
    message_type = rng.choice(_TYPES)
    match message_type:
        case "text":
            content = _text(rng, bot_id)
        case "sticker":
            content = {
                "packageId": "11537",
                "stickerId": str(rng.randint(52002734, 52002779)),
                "stickerResourceType": rng.choice(("STATIC", "ANIMATION")),
                "keywords": ["happy", "hello"],
            }
        case "file":
            content = {"fileName": rng.choice(_FILE_NAMES), "fileSize": rng.randint(100, 10**7)}
        case "location":
            title, address, latitude, longitude = rng.choice(_LOCATIONS)
            content = {"title": title, "address": address, "latitude": latitude, "longitude": longitude}
        case _:
            content = {"contentProvider": {"type": "line"}}
            if message_type != "image":
                content["duration"] = rng.randint(1000, 60_000)
    if message_type in ("text", "sticker", "image", "video"):
        content["quoteToken"] = f"{rng.getrandbits(256):064x}"
    return {"type": message_type, **content}


def _text(rng: random.Random, bot_id: str) -> dict[str, Any]:
    text = rng.choice(_TEXTS)
    if rng.random() < _MENTION_SHARE:
        name = "@Sandbox Shop"
        mentioned = {"index": 0, "length": len(name), "type": "user", "userId": bot_id, "isSelf": True}
        return {"text": f"{name} {text}", "mention": {"mentionees": [mentioned]}}
    if rng.random() < _EMOJI_SHARE:
        emoji = {"index": 0, "length": 6, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}
        return {"text": f"(love) {text}", "emojis": [emoji]}
    return {"text": text}
