"""HTTP requests as the endpoints see them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.json_errors import malformed_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class HttpRequest:
    """One HTTP request with its complete body."""

    def __init__(  # noqa: PLR0913 - the parts of a request, all by keyword
        self,
        *,
        number: int,
        method: str,
        path: str,
        query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """Store the parts.

        Args:
            number: Sequence number, starting at 1; LINE's request id is derived from it.
            method: HTTP method in upper case.
            path: Percent-decoded path.
            query: Raw query string.
            headers: Pairs of lower-case name and value.
            body: Raw body.
        """
        self.number = number
        self.method = method
        self.path = path
        self.body = body
        self.endpoint = ""
        """Method and path template; set by routing."""
        self.path_parameters: Mapping[str, str] = {}
        """Values of the template's parameters; set by routing."""
        self.query_string = query
        self._headers = headers

    def header(self, name: bytes) -> str | None:
        """Return the first value of a header; `name` is in lower case."""
        for found, value in self._headers:
            if found == name:
                return value.decode("latin-1")
        return None

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query parameters, each with all its values."""
        return parse_qs(self.query_string.decode("latin-1"), keep_blank_values=True)

    def query_parameter(self, name: str) -> str | None:
        """Return the first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None

    def query_integer(self, name: str, default: int) -> int:
        """Return a query parameter as an integer.

        Raises:
            InvalidRequest: The value is not an integer.
        """
        text = self.query_parameter(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError:
            raise InvalidRequest.for_parameter(name) from None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form body, each with its first value."""
        fields = parse_qs(self.body.decode("latin-1"), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}

    def json(self) -> dict[str, Any]:
        """Parse the body as a JSON object.

        Raises:
            InvalidRequest: The body is not a JSON object.
        """
        try:
            content = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise malformed_json(self.body, error) from None
        if not isinstance(content, dict):
            raise InvalidRequest("The request body could not be parsed as JSON (line: 1, column: 1)")
        return content
