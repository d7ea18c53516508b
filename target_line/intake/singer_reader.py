"""Reading of Singer messages from the input, one JSON object per line, in UTF-8 whatever the locale (RFC 8259, 8.1).

A line that is no Singer message ends the run with an error that names the line number, but no value of the line. A
record that can be read and cannot be processed becomes an `UnusableRecord`, which the target rejects.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader

from line_core.errors import LineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MAX_DEPTH: Final = 100
"""Levels of objects and lists within a message. JSON libraries and databases fail at about 1,000."""

UNREADABLE = "unreadable"
"""Key of the text of a record that cannot be read, in its reject."""

_MAX_DIGITS = 1_000
"""Digits of an integer. Python cannot convert more than 4,300 digits."""
_STREAM = ("stream", str, "text")
_KEYS: dict[str, tuple[tuple[str, type, str], ...]] = {
    "RECORD": (_STREAM, ("record", object, "a value")),
    "SCHEMA": (_STREAM, ("schema", dict, "an object")),
    "STATE": (("value", object, "a value"),),
    "ACTIVATE_VERSION": (_STREAM,),
    "BATCH": (_STREAM, ("encoding", dict, "an object"), ("manifest", list, "a list")),
}
"""Keys of a message by its type, with the type of the value and its name."""
_MISSING = object()
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)

_decoder = msgspec.json.Decoder()


class InputError(LineError):
    """The input is not a valid stream of Singer messages."""


@dataclass(frozen=True, slots=True)
class UnusableRecord:
    """A record that cannot be processed, with the reason."""

    content: dict[str, Any]
    """The record, or its text under the key `unreadable` where it is no object of a usable size."""
    detail: str
    is_mapped: bool = True
    """Whether its columns are those that stream maps, if there are any, make."""
    columns: dict[str, Any] | None = None
    """The columns of a record that is nested too deeply, with true in place of objects and lists; else None."""


class LineReader(MsgSpecReader):
    """Decodes Singer messages with msgspec.

    The SDK's reader decodes every number with a decimal point as Decimal, which a JSON column cannot store. It also
    writes a malformed line to the log, where the data of a customer may not appear.
    """

    def __init__(self, on_failure: Callable[[Exception], None] | None = None) -> None:
        """Create a reader.

        Args:
            on_failure: Called with the error that ends the reading, before it is raised.
        """
        super().__init__()
        self._on_failure = on_failure

    def process_lines(self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]) -> Any:  # noqa: ANN401 - the SDK's Counter type
        """Pass each message to the callback of its type, and count the messages by type.

        Raises:
            InputError: A line is not a Singer message.
        """
        try:
            return self._process_lines(file_input, callbacks)
        except Exception as error:
            if self._on_failure:
                self._on_failure(error)
            raise

    def _process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for number, line in enumerate(_byte_lines(file_input or sys.stdin), start=1):
            text = line.removeprefix(codecs.BOM_UTF8).strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                message = self.deserialize_json(text)
                message_type = _checked_type(message)
            except InputError as error:
                raise InputError(f"line {number} of the input: {error}") from None
            callbacks[message_type](message)
            counts[message_type] += 1
        return counts

    def deserialize_json(self, line: str | bytes) -> dict[str, Any]:
        """Decode one line. The record of the message can be an `UnusableRecord`.

        Raises:
            InputError: The line is not JSON.
        """
        encoded = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        try:
            message: dict[str, Any] = _decoder.decode(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = _decode_tolerantly(encoded)
        except RecursionError:
            message = _too_deep_message(encoded)
        # A message has at most as many levels as opening brackets.
        if encoded.count(b"{") + encoded.count(b"[") > MAX_DEPTH and _depth(message) > MAX_DEPTH:
            message = _too_deep_message(encoded)
        return message


def decode_record(line: bytes) -> dict[str, Any] | UnusableRecord:
    """Decode a line of a batch file: a record without an envelope.

    Raises:
        InputError: The line is not JSON.
    """
    record: Any = LineReader().deserialize_json(b'{"type":"RECORD","stream":"-","record":' + line + b"}")["record"]
    return record if isinstance(record, dict | UnusableRecord) else no_object(record)


def no_object(record: object) -> UnusableRecord:
    """Return the `UnusableRecord` for a record that is null, a list or a single value."""
    return UnusableRecord({UNREADABLE: json.dumps(record)}, "the record is not an object")


def _byte_lines(file: IO[str]) -> Iterable[bytes]:
    buffer: Iterable[bytes] | None = getattr(file, "buffer", None)
    return buffer if buffer is not None else (line.encode("utf-8", "surrogatepass") for line in file)


def _checked_type(message: object) -> str:
    """Return the type of a message that has the keys of its type.

    Raises:
        InputError: It is not a Singer message.
    """
    if not isinstance(message, dict):
        raise InputError("it is JSON, but not an object")
    message_type = message.get("type")
    if not isinstance(message_type, str) or message_type not in _KEYS:
        raise InputError("it has no type" if message_type is None else "its type is not one of Singer's message types")
    stream = message.get("stream")
    if isinstance(stream, str) and not _is_storable_name(stream):
        raise InputError(f"the name of the stream of the {message_type} message has U+0000 or half a character")
    for key, expected_type, type_name in _KEYS[message_type]:
        value = message.get(key, _MISSING)
        if value is _MISSING:
            raise InputError(f"{_name_of(message)} has no {key}")
        if not isinstance(value, expected_type):
            raise InputError(f"{_name_of(message)} has a {key} that is not {type_name}")
    if message_type == "SCHEMA" and not isinstance(message["schema"].get("properties"), dict):
        raise InputError(f"{_name_of(message)} has no properties")
    return message_type


@lru_cache
def _is_storable_name(stream: str) -> bool:
    return not _SURROGATE.search(stream) and "\0" not in stream


def _name_of(message: Mapping[str, Any]) -> str:
    stream = message.get("stream")
    return f"the {message['type']} message" + (f" of stream {stream!r}" if isinstance(stream, str) else "")


def _decode_tolerantly(line: bytes) -> dict[str, Any]:
    """Decode a line that only Python's decoder accepts.

    It may have NaN, lone surrogates, control characters in texts, numbers beyond the range of float, integers of
    thousands of digits, or bytes that are not UTF-8.
    """
    try:
        text = line.decode("utf-8", "surrogateescape")
        message: Any = json.loads(
            text, parse_constant=str, parse_float=_number_or_text, parse_int=_integer_or_text, strict=False
        )
    except ValueError as error:
        reason = getattr(error, "msg", "not text")
        raise InputError(f"it has {len(line)} bytes and is not JSON: {reason}") from None
    except RecursionError:
        return _too_deep_message(line)
    # Only a lone surrogate, or a byte that is not UTF-8, makes the text of a record impossible to encode.
    if isinstance(message, dict) and isinstance(record := message.get("record"), dict) and _has_surrogate(record):
        message["record"] = UnusableRecord(record, "the record contains text that is not valid Unicode")
    checked: dict[str, Any] = message
    return checked


def _too_deep_message(line: bytes) -> dict[str, Any]:
    """Return the message of a line that is nested too deeply to be decoded or stored.

    Raises:
        InputError: The line is not a record, or its stream is not known.
    """
    detail = f"it has more than {MAX_DEPTH} levels of objects and lists"
    try:
        message = json.loads(_without_members(line), strict=False)
        columns = json.loads(_without_members(line, 3, b"true"), strict=False)["record"]
    except (ValueError, KeyError, TypeError):
        message = columns = None
    if not isinstance(message, dict) or message.get("type") != "RECORD":
        raise InputError(detail)
    content = {UNREADABLE: line.decode("utf-8", "replace")}
    columns = columns if isinstance(columns, dict) else None
    return {**message, "record": UnusableRecord(content, detail, columns=columns)}


def _without_members(line: bytes, level: int = 2, stand_in: bytes = b"null") -> bytes:
    """Return the JSON text of a message with a stand-in for objects and lists of a level (the message: 1)."""
    kept, start, depth = [], 0, 0
    for token in _TOKEN.finditer(line):
        if token[0] in (b"{", b"["):
            depth += 1
            if depth == level:
                kept.append(line[start : token.start()])
        elif token[0] in (b"}", b"]"):
            depth -= 1
            if depth == level - 1:
                kept.append(stand_in)
                start = token.end()
    return b"".join([*kept, line[start:]])


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [item for container in level for item in _items(container) if isinstance(item, dict | list)]
    return depth


def _items(container: object) -> Iterable[object]:
    if isinstance(container, dict):
        return container.values()
    return container if isinstance(container, list) else ()


def _has_surrogate(value: object) -> bool:
    return any(_SURROGATE.search(text) for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item
            pending += item.values()
        elif isinstance(item, list):
            pending += item


def _number_or_text(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _integer_or_text(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits
