"""Reads bodies with message objects. LINE reports problems inside templates and Flex Messages in a shape of its own.

Problems of other properties are listed together, as `messages[0].text`. If there are none, LINE reports the first
message with a problem inside its template, Flex Message or text (v2): the message text names the message, and the
properties are paths inside it.

Sources: LINE Messaging API reference, "Error responses"; responses in public reports: line/line-bot-sdk-python#273,
#314, #641 and #646, zaoldyeck/cross-platform-chatbot#1, cofacts/rumors-line-bot#125. Where no response is known, the
texts are those of other properties.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from line_sandbox.foundation.api_errors import InvalidRequest, MessageErrorResponse
from line_sandbox.http.bodies import read_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_core.messages import Problem
    from line_sandbox.http.request import HttpRequest

_INSIDE = re.compile(r"messages\[(?P<index>\d+)\]\.(?P<part>template|contents|text)(?P<path>.*)")
_PATH_PART = re.compile(r"\[(\d+)\]|\.([^.\[]+)")
_LENGTH = re.compile(r"Length must be between \d+ and (\d+)")
_SIZE = re.compile(r"Size must be between \d+ and (\d+)")
_KILOBYTES = re.compile(r"Size must be less than or equal to (\d+) KB")
_MISSING = "May not be empty"


def read_messages_body(request: HttpRequest, schema: str) -> dict[str, Any]:
    """Return the JSON object in the body of a request with messages; see `read_body`.

    Raises:
        InvalidRequest: The body is not a JSON object or violates the schema.
        UnsupportedMediaType: The content type is not JSON.
    """
    return read_body(request, schema, error=_error)


def _error(body: dict[str, Any], problems: Sequence[Problem]) -> InvalidRequest:
    inside = [_inside(body, problem) for problem in problems]
    others = [problem for problem, match in zip(problems, inside, strict=True) if match is None]
    if others:
        return InvalidRequest.with_details(*others)
    found = [(int(match["index"]), match, problem) for match, problem in zip(inside, problems, strict=True) if match]
    first = min(index for index, _, _ in found)
    details = [_detail(body, match, problem) for index, match, problem in found if index == first]
    return MessageErrorResponse(first, details)


def _inside(body: dict[str, Any], problem: Problem) -> re.Match[str] | None:
    """Return the parts of a property inside a template, Flex Message or text (v2); None for other properties."""
    match = _INSIDE.fullmatch(problem.property)
    if match is None or (not match["path"] and problem.message == _MISSING):
        return None
    if match["part"] == "text":
        is_placeholder = body["messages"][int(match["index"])].get("type") == "textV2"
        return match if is_placeholder and not _LENGTH.fullmatch(problem.message) else None
    return match


def _detail(body: dict[str, Any], match: re.Match[str], problem: Problem) -> dict[str, str]:
    part, path = match["part"], [index or name for index, name in _PATH_PART.findall(match["path"])]
    if kilobytes := _KILOBYTES.fullmatch(problem.message):
        return {"message": f"Too large flex message. The maximum size of JSON data is {kilobytes[1]} KB"}
    value = _value(body["messages"][int(match["index"])].get(part), path)
    message = problem.message
    if problem.message == _MISSING:
        message = "must be specified" if value is None else "must be non-empty text"
    elif length := _LENGTH.fullmatch(message):
        if part == "contents":
            message = "invalid property"
        elif path[-1:] == ["uri"]:
            message = f"size must be between 0 and {length[1]}"
        else:
            message = f"must not be longer than {length[1]} characters"
    elif (size := _SIZE.fullmatch(message)) and isinstance(value, list) and len(value) > int(size[1]):
        message = f"must not be more than {size[1]} items"
    property_path = "/" + "/".join(path) if part == "contents" else "/".join([part, *path])
    return {"message": message, "property": property_path}


def _value(value: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - any JSON
    """Return the value at a path; None if there is none."""
    for part in path:
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
