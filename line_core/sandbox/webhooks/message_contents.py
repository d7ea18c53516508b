"""What people send: the contents of message events, of every type.

Source: LINE Messaging API reference, "Message event".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

_TEXTS = (
    "Hello!", "こんにちは", "営業時間は何時ですか?", "ขอบคุณค่ะ", "請問有庫存嗎?", "👍", "Is the blue one still there? 🙏",
    '"quoted" and a \\ backslash', "line\nbreak", "  spaces  ", "'; DROP TABLE messages; --", "👨‍👩‍👧‍👦 family",
)  # fmt: skip
_FILES = ("invoice.pdf", "見積書.xlsx", "photo of receipt.jpg")
_PLACES = (
    ("Tokyo Tower", "東京都港区芝公園4-2-8", 35.6586, 139.7454),
    ("LINE", "1-3 Kioicho, Tokyo", 35.67966, 139.73669),
)


def _token(chance: random.Random) -> str:
    return f"{chance.getrandbits(256):064x}"


def _text(chance: random.Random) -> dict[str, Any]:
    return {"type": "text", "quoteToken": _token(chance), "text": chance.choice(_TEXTS)}


def _sticker(chance: random.Random) -> dict[str, Any]:
    return {
        "type": "sticker",
        "quoteToken": _token(chance),
        "packageId": "11537",
        "stickerId": str(chance.randint(52002734, 52002779)),
        "stickerResourceType": chance.choice(("STATIC", "ANIMATION")),
        "keywords": ["happy", "hello"],
    }


def _image(chance: random.Random) -> dict[str, Any]:
    return {"type": "image", "quoteToken": _token(chance), "contentProvider": {"type": "line"}}


def _video(chance: random.Random) -> dict[str, Any]:
    return {
        "type": "video",
        "quoteToken": _token(chance),
        "duration": chance.randint(1000, 60_000),
        "contentProvider": {"type": "line"},
    }


def _audio(chance: random.Random) -> dict[str, Any]:
    return {"type": "audio", "duration": chance.randint(1000, 60_000), "contentProvider": {"type": "line"}}


def _file(chance: random.Random) -> dict[str, Any]:
    return {"type": "file", "fileName": chance.choice(_FILES), "fileSize": chance.randint(100, 10**7)}


def _location(chance: random.Random) -> dict[str, Any]:
    title, address, latitude, longitude = chance.choice(_PLACES)
    return {"type": "location", "title": title, "address": address, "latitude": latitude, "longitude": longitude}


MESSAGE_CONTENTS = (*[_text] * 10, *[_sticker] * 3, *[_image] * 2, _video, _audio, _file, _location)
"""Makers of contents, each as often as it comes up."""
