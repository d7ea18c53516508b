"""A response of LINE's API, independent of the HTTP library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.api.errors import MalformedResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Response:
    """A response with any status."""

    endpoint: str
    """Method and path template of the request."""
    status: int
    headers: Mapping[str, str]
    """A mapping that ignores the case of names."""
    body: bytes

    @property
    def request_id(self) -> str | None:
        """LINE's id of the request."""
        return self.headers.get("x-line-request-id")

    @property
    def is_from_line(self) -> bool:
        """Whether LINE sent the response, and not a proxy or CDN in between: LINE's responses have a request id."""
        return bool(self.request_id)

    @property
    def accepted_request_id(self) -> str | None:
        """With status 409: LINE's id of the earlier request that it accepted with the same retry key."""
        return self.headers.get("x-line-accepted-request-id")

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the body as JSON.

        Raises:
            MalformedResponseError: The body is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise self._malformed(str(error)) from None

    def json_object(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            MalformedResponseError: The body is not a JSON object.
        """
        body = self.json()
        if not isinstance(body, dict):
            raise self._malformed(f"expected an object, not {type(body).__name__}")
        return body

    def _malformed(self, reason: str) -> MalformedResponseError:
        return MalformedResponseError(self.endpoint, reason=reason, status=self.status, request_id=self.request_id)
