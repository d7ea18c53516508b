"""The signature of a webhook request.

Source: LINE Messaging API reference, "Signature validation": `x-line-signature` is the Base64 text of the HMAC-SHA256
of the raw body, keyed with the channel secret.
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def compute_signature(body: bytes, secret: bytes) -> bytes:
    """Return the value of `x-line-signature` for a body."""
    return base64.b64encode(hmac.digest(secret, body, "sha256"))


def is_valid_signature(body: bytes, signature: bytes, secrets: Iterable[bytes]) -> bool:
    """Check a signature against each of the secrets, in constant time per secret."""
    return any(hmac.compare_digest(compute_signature(body, secret), signature) for secret in secrets)
