"""Checks JSON values against schemas of LINE's API and tells what is wrong in LINE's way.

A problem names its property as LINE does, `messages[0].text`, and uses LINE's words where its reference gives them.

Source: LINE Messaging API reference, "Error responses".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs

from line_core.messages.keywords import KEYWORDS, BrokenRuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.resources.abc import Traversable


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
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
    """What is wrong with one property."""

    property: str
    message: str
    """LINE's words."""
    measured: str = ""
    """How much of what is allowed there is, such as `5001 of 5000 characters`."""

    def __str__(self) -> str:
        """The property and what is wrong with it."""
        return f"{self.property}: {self.measured or self.message}"


class Contract:
    """What a value must be like."""

    def __init__(self, schemas: Iterable[Traversable], root: str, *, missing: str = "May not be empty") -> None:
        """Read the schemas.

        Args:
            schemas: JSON files that may refer to each other, each by its `$id`.
            root: The `$id` of the one that values are checked against, or a reference into it.
            missing: LINE's words for a property that is required and not there; they differ between its endpoints.
        """
        resources = [json.loads(schema.read_bytes()) for schema in schemas]
        registry = jsonschema_rs.Registry([(resource["$id"], resource) for resource in resources])
        self._validator = jsonschema_rs.Draft202012Validator({"$ref": root}, registry=registry, keywords=dict(KEYWORDS))
        self._missing = missing

    def problems(self, value: Any) -> list[Problem]:  # noqa: ANN401 - any JSON
        """Everything that is wrong, each once; empty if nothing is."""
        try:
            if self._validator.is_valid(value):
                return []
            return list(dict.fromkeys(self._problem(error) for error in self._validator.iter_errors(value)))
        except (RecursionError, ValueError):  # what the validator says of values nested hundreds of levels deep
            return [Problem("", "nested too deeply")]

    def _problem(self, error: jsonschema_rs.ValidationError) -> Problem:
        path = [*error.instance_path]
        if isinstance(error.__cause__, BrokenRuleError):
            broken = error.__cause__
            return Problem(property_name([*path, *broken.below]), str(broken), broken.measured)
        rule = error.kind.as_dict()
        if error.kind.name == "required":
            return Problem(property_name([*path, rule["property"]]), self._missing)
        words = _WORDS.get(error.kind.name)
        return Problem(property_name(path), words(rule) if words else "invalid property")


def property_name(path: Sequence[str | int]) -> str:
    """A path as LINE writes it: `messages[0].text`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
