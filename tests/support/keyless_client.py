"""A client without retry keys: the negative control of the tests that count deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.api import client

if TYPE_CHECKING:
    from line_core.api.response import Response


class KeylessClient(client.LineClient):
    """Sends requests without `X-Line-Retry-Key`, so LINE accepts a repeated request twice."""

    async def request(self, method: str, path: str, **arguments: Any) -> Response:
        return await super().request(method, path, **{**arguments, "headers": None})


PATCHES: dict[str, object] = {"target_line.sending.run_modes.LineClient": KeylessClient}
"""Makes `target-line` use the client; for `programs.start`."""
