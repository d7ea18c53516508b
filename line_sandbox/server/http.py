"""A request and an answer, as the endpoints see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec

from line_sandbox.foundation.api_errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON = "application/json"


class Request:
    """One HTTP request, its body read."""

    def __init__(  # noqa: PLR0913 - the parts of a request, all by name
        self,
        *,
        number: int,
        method: str,
        path: str,
        query: bytes,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """Take a request apart.

        Args:
            number: How many requests came before; LINE's request id is made of it.
            method: In upper case.
            path: Decoded.
            query: As it came.
            headers: Names in lower case.
            body: As it came.
        """
        self.number = number
        self.method = method
        self.path = path
        self.body = body
        self.endpoint = ""
        """Method and path template, known once the request is routed."""
        self.path_parameters: Mapping[str, str] = {}
        self._query = query
        self._headers = headers

    def header(self, name: bytes) -> str | None:
        """A header's value; its name is given in lower case."""
        for found, value in self._headers:
            if found == name:
                return value.decode("latin-1")
        return None

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query's parameters, each with its values."""
        return parse_qs(self._query.decode("latin-1"), keep_blank_values=True)

    def parameter(self, name: str) -> str | None:
        """A query parameter's first value."""
        values = self.query.get(name)
        return values[0] if values else None

    def integer(self, name: str, default: int) -> int:
        """A query parameter that is a whole number.

        Raises:
            InvalidRequest: It is something else.
        """
        text = self.parameter(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError:
            raise InvalidRequest.parameter(name) from None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form in the body."""
        fields = parse_qs(self.body.decode("latin-1"), keep_blank_values=True)
        return {name: values[0] for name, values in fields.items()}

    def json(self) -> dict[str, Any]:
        """The object in the body.

        Raises:
            InvalidRequest: There is none.
        """
        try:
            content = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise InvalidRequest("The request body could not be parsed as JSON") from None
        if not isinstance(content, dict):
            raise InvalidRequest("The request body must be a JSON object")
        return content


@dataclass(slots=True)
class Reply:
    """An answer."""

    content: Any = field(default_factory=dict)
    """Becomes JSON; bytes are sent as they are."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = JSON
    note: str = ""
    """What the access log tells of it."""
    is_logged: bool = True

    def body(self) -> bytes:
        """The bytes to send."""
        return self.content if isinstance(self.content, bytes) else msgspec.json.encode(self.content)
