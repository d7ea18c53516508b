"""HTTP responses as the endpoints create them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

JSON = "application/json"

_FIRST_ERROR_STATUS = 400


@dataclass(slots=True)
class HttpResponse:
    """One HTTP response."""

    content: Any = field(default_factory=dict)
    """Encoded as JSON, unless it is bytes."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON
    note: str = ""
    """Text that the access log appends to the request's line."""
    is_logged: bool = True
    """Whether the access log writes a line for the request."""

    @property
    def is_success(self) -> bool:
        """Whether the status reports success."""
        return self.status < _FIRST_ERROR_STATUS

    def body(self) -> bytes:
        """Return the encoded content."""
        return self.content if isinstance(self.content, bytes) else msgspec.json.encode(self.content)
