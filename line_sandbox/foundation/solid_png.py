"""Generates PNG images of one color, in place of the images that LINE would return."""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b

_SIDE = 64
_PALETTE_COLOR_TYPE = 3


def solid_png(name: str, width: int = _SIDE, height: int = _SIDE) -> bytes:
    """Return a PNG image of `width` times `height` pixels; its color is derived from `name`."""
    row = bytes(1 + (width + 7) // 8)  # no filter, then one bit per pixel
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, _PALETTE_COLOR_TYPE, 0, 0, 0)),
        (b"PLTE", blake2b(name.encode(), digest_size=3).digest()),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
