"""Check JSON values against schemas of LINE's API, with the error messages of LINE.

A problem names its property in LINE's notation, such as `messages[0].text`, and uses LINE's message where the reference
documents it. The validator is jsonschema-rs: messages are checked one by one before sending, so speed matters.

Source: LINE Messaging API reference, "Error responses".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs

from line_core.messages.keywords import KEYWORDS, BrokenRuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from importlib.resources.abc import Traversable


_MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "minLength": lambda _: "May not be empty",
    "enum": lambda rule: f"Must be one of the following values: [{', '.join(map(str, rule['options']))}]",
    "const": lambda rule: f"Must be one of the following values: [{rule['expected_value']}]",
    "minimum": lambda rule: f"Must be greater than or equal to {rule['limit']}",
    "maximum": lambda rule: f"Must be less than or equal to {rule['limit']}",
    "multipleOf": lambda rule: f"must be a multiple of {rule['multiple_of']}",
    "falseSchema": lambda _: "Must not be specified",
    "type": lambda rule: f"Must be of type {' or '.join(rule['types'])}",
}


class Problem(NamedTuple):
    """An error in one property."""

    property: str
    message: str
    """LINE's message."""
    measured: str = ""
    """Measured and allowed size, such as `5001 of 5000 characters`; empty if the rule is not about a size."""
    is_unknown_type: bool = False
    """Whether the value is the `type` of an object that the schemas do not know. LINE may have added it since."""

    def __str__(self) -> str:
        return f"{self.property}: {self.measured or self.message}"


class Contract:
    """A schema with LINE's error messages."""

    def __init__(self, schemas: Iterable[Traversable], root: str, *, missing: str = "May not be empty") -> None:
        """Compile the schemas.

        Args:
            schemas: JSON files, which may refer to each other by `$id`.
            root: `$id` of the schema to check values against, or a reference into it.
            missing: LINE's message for a missing required property. It differs between endpoints.
        """
        resources = [json.loads(schema.read_bytes()) for schema in schemas]
        registry = jsonschema_rs.Registry([(resource["$id"], resource) for resource in resources])
        self._validator = jsonschema_rs.Draft202012Validator({"$ref": root}, registry=registry, keywords=dict(KEYWORDS))
        self._missing = missing
        self._known_types = frozenset(map(str.casefold, _types(resources)))

    def problems(self, value: Any) -> list[Problem]:  # noqa: ANN401 - any JSON
        """Return the problems of a value, each once; empty if the value is valid."""
        try:
            if self._validator.is_valid(value):
                return []
            return list(dict.fromkeys(self._problem(error) for error in self._validator.iter_errors(value)))
        except (RecursionError, ValueError):  # raised for values that are nested hundreds of levels deep
            return [Problem("", "nested too deeply")]

    def _problem(self, error: jsonschema_rs.ValidationError) -> Problem:
        path = [*error.instance_path]
        if isinstance(error.__cause__, BrokenRuleError):
            broken = error.__cause__
            return Problem(property_name([*path, *broken.path]), str(broken), broken.measured)
        rule = error.kind.as_dict()
        if error.kind.name == "required":
            return Problem(property_name([*path, rule["property"]]), self._missing)
        message = _MESSAGES.get(error.kind.name)
        return Problem(
            property_name(path),
            message(rule) if message else "invalid property",
            is_unknown_type=error.kind.name == "enum" and path[-1:] == ["type"] and self._is_unknown(error.instance),
        )

    def _is_unknown(self, type_: object) -> bool:
        """Return whether no schema has a type. One in another case, such as Text, is a mistake and not unknown."""
        name = type_.strip().casefold() if isinstance(type_, str) else ""
        return bool(name) and name not in self._known_types


def property_name(path: Sequence[str | int]) -> str:
    """Return a path in LINE's notation: `messages[0].text`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _types(schema: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the values of the property `type` that a schema names."""
    if isinstance(schema, list):
        for item in schema:
            yield from _types(item)
    elif isinstance(schema, dict):
        properties = schema.get("properties")
        rule = properties.get("type") if isinstance(properties, dict) else None
        if isinstance(rule, dict):
            yield from (name for name in [rule.get("const"), *rule.get("enum", ())] if isinstance(name, str))
        for item in schema.values():
            yield from _types(item)
