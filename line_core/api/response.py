"""One answer of LINE's API, whichever HTTP library brought it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.api.errors import MalformedResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with any status; `headers` are looked up without regard to case."""

    endpoint: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str | None:
        """LINE's id of the request."""
        return self.headers.get("x-line-request-id")

    @property
    def accepted_request_id(self) -> str | None:
        """Of a 409: LINE's id of the earlier request that it accepted under the same retry key."""
        return self.headers.get("x-line-accepted-request-id")

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body.

        Raises:
            MalformedResponseError: It is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise MalformedResponseError(
                self.endpoint, reason=str(error), status=self.status, request_id=self.request_id
            ) from None

    def json_object(self) -> dict[str, Any]:
        """The body, which must be a JSON object.

        Raises:
            MalformedResponseError: It is not.
        """
        body = self.json()
        if not isinstance(body, dict):
            raise MalformedResponseError(
                self.endpoint,
                reason=f"an object was expected, not {type(body).__name__}",
                status=self.status,
                request_id=self.request_id,
            )
        return body
