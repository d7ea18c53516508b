"""Checks the images of rich menus.

Source: LINE Messaging API reference, "Requirements for rich menu image".
"""

from __future__ import annotations

import struct

MAX_BYTES = 1024 * 1024
MIN_WIDTH, MAX_WIDTH = 800, 2500
MIN_HEIGHT = 250
MIN_RATIO = 1.45  # width / height

_PNG_START = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_SIZE = struct.Struct(">II")
_JPEG_START = b"\xff\xd8"
_JPEG_SIZE = struct.Struct(">HH")
# Markers of segments with the size of a JPEG image: "start of frame" of each encoding.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_MARKER = 0xFF


def is_allowed(image: bytes, image_type: str) -> bool:
    """Return whether LINE accepts an image of the media type `image/png` or `image/jpeg` for a rich menu."""
    size = _png_size(image) if image_type == "image/png" else _jpeg_size(image)
    if size is None or len(image) > MAX_BYTES:
        return False
    width, height = size
    return MIN_WIDTH <= width <= MAX_WIDTH and height >= MIN_HEIGHT and width >= height * MIN_RATIO


def _png_size(image: bytes) -> tuple[int, int] | None:
    """Return the width and height of a PNG image; None if it is not one."""
    start = len(_PNG_START)
    if not image.startswith(_PNG_START) or len(image) < start + _PNG_SIZE.size:
        return None
    width, height = _PNG_SIZE.unpack_from(image, start)
    return width, height


def _jpeg_size(image: bytes) -> tuple[int, int] | None:
    """Return the width and height of a JPEG image; None if it is not one."""
    if not image.startswith(_JPEG_START):
        return None
    position = len(_JPEG_START)
    while position + 9 <= len(image) and image[position] == _JPEG_MARKER:
        marker = image[position + 1]
        if marker == _JPEG_MARKER:  # a fill byte
            position += 1
        elif marker in _JPEG_FRAMES:  # after the marker: length (2 bytes), precision (1 byte), height, width
            height, width = _JPEG_SIZE.unpack_from(image, position + 5)
            return width, height
        else:
            position += 2 + int.from_bytes(image[position + 2 : position + 4])
    return None
