"""Who sent a webhook request.

Source: LINE Messaging API reference, "Signature validation": `x-line-signature` is the Base64 text of the HMAC-SHA256
of the raw body, keyed with the channel secret.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def sign(body: bytes, secret: bytes) -> bytes:
    """Make the signature that LINE would send with this body."""
    return base64.b64encode(hmac.digest(secret, body, "sha256"))


def is_signed(body: bytes, signature: bytes, secrets: Iterable[bytes]) -> bool:
    """Tell whether a body was signed with one of the secrets; compared in constant time."""
    return any(hmac.compare_digest(sign(body, secret), signature) for secret in secrets)
