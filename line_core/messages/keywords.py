"""Custom JSON Schema keywords for rules of LINE that JSON Schema cannot express.

`jsonschema_rs` creates one object per use of a keyword and calls `iter_errors`. The errors contain LINE's message and
the path of the wrong property.

Source: LINE Messaging API reference, "Message objects", "Action objects", "Rich menu object".
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from line_core.messages.lengths import grapheme_length, utf16_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MAX_MENTIONS = 20
_MAX_EMOJI = 20
_MIN_RICH_MENU_RATIO = 1.45  # width / height
_MAX_FLEX_RATIO = 3  # height / width
_MAX_FLEX_NUMBER = 100_000


class BrokenRuleError(ValueError):
    """A value breaks a rule. The text is LINE's message."""

    def __init__(self, message: str, path: tuple[str | int, ...] = (), *, measured: str = "") -> None:
        """Create the error.

        Args:
            message: LINE's message.
            path: Path from the checked value to the wrong property.
            measured: Measured and allowed size, such as `5001 of 5000 characters`.
        """
        super().__init__(message)
        self.path = path
        self.measured = measured


class Keyword:
    """Base class of the keywords."""

    def __init__(self, _schema: dict[str, Any], value: Any, _path: list[str | int]) -> None:  # noqa: ANN401 - any JSON
        self.value = value

    def validate(self, instance: Any) -> None:  # noqa: ANN401 - any JSON
        """Check a value.

        Raises:
            BrokenRuleError: The value breaks the rule.
        """
        for error in self.iter_errors(instance):
            raise error

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Yield an error for each violation of the rule."""
        raise NotImplementedError


class _MaxLength(Keyword):
    measure: ClassVar[Callable[[str], int]]

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if isinstance(instance, str) and (length := type(self).measure(instance)) > self.value:
            message = f"Length must be between 0 and {self.value}"
            yield BrokenRuleError(message, measured=f"{length} of {self.value} characters")


class Utf16MaxLength(_MaxLength):
    """Maximum length of a text in UTF-16 code units."""

    measure = utf16_length


class GraphemeMaxLength(_MaxLength):
    """Maximum length of a text in grapheme clusters."""

    measure = grapheme_length


class FullPattern(Keyword):
    """A regular expression that must match the whole text, and LINE's message if it does not."""

    def __init__(self, schema: dict[str, Any], value: dict[str, str], path: list[str | int]) -> None:
        super().__init__(schema, value, path)
        self._pattern = re.compile(value["pattern"])

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if isinstance(instance, str) and not self._pattern.fullmatch(instance):
            yield BrokenRuleError(self.value["message"])


class Size(Keyword):
    """Minimum and maximum number of items of an array, or of UTF-16 code units of a text."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        minimum, maximum = self.value
        if not isinstance(instance, (list, str)):
            return
        size = len(instance) if isinstance(instance, list) else utf16_length(instance)
        if not minimum <= size <= maximum:
            yield BrokenRuleError(f"Size must be between {minimum} and {maximum}")


class Range(Keyword):
    """Minimum and maximum of a number."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        minimum, maximum = self.value
        if isinstance(instance, (int, float)) and not minimum <= instance <= maximum:
            yield BrokenRuleError(f"Must be between {minimum} and {maximum}")


class MutuallyExclusive(Keyword):
    """Properties of which at most one may be present."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if isinstance(instance, dict):
            present = [name for name in self.value if name in instance]
            yield from (BrokenRuleError("Must not be specified", (name,)) for name in present[1:])


class ExactlyOneOf(Keyword):
    """Properties of which exactly one must be present."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if isinstance(instance, dict) and sum(name in instance for name in self.value) != 1:
            yield BrokenRuleError(f"Must have exactly one of [{', '.join(self.value)}]")


class RichMenuAspectRatio(Keyword):
    """Size of a rich menu: the width is at least 1.45 times the height."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if isinstance(instance, dict):
            width, height = instance.get("width"), instance.get("height")
            if isinstance(width, int) and isinstance(height, int) and width < height * _MIN_RICH_MENU_RATIO:
                yield BrokenRuleError(f"aspect ratio must be at least {_MIN_RICH_MENU_RATIO}")


class SameInAllItems(Keyword):
    """Properties that must be the same in all objects of an array.

    Arrays must have the same length and `size` the same value. Other properties must be present in all or in none.
    """

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if not isinstance(instance, list) or not all(isinstance(item, dict) for item in instance):
            return
        for name in self.value:
            for index, item in enumerate(instance[1:], start=1):
                if self._shape(name, item) != self._shape(name, instance[0]):
                    yield BrokenRuleError("Must be the same in all columns and bubbles", (index, name))

    @staticmethod
    def _shape(name: str, item: dict[str, Any]) -> object:
        value = item.get(name)
        if isinstance(value, list):
            return len(value)
        return value if name == "size" else value is None


class JsonMaxKilobytes(Keyword):
    """Maximum size of an object's JSON text, in KB of 1,024 bytes."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if len(msgspec.json.encode(instance)) > self.value * 1024:
            yield BrokenRuleError(f"Size must be less than or equal to {self.value} KB")


class FlexAspectRatio(Keyword):
    """Aspect ratio `width:height` of a Flex Message image: the height is at most three times the width."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        match = re.fullmatch(r"([0-9.]+):([0-9.]+)", instance) if isinstance(instance, str) else None
        if match:
            width, height = float(match[1]), float(match[2])
            if height > width * _MAX_FLEX_RATIO or max(width, height) > _MAX_FLEX_NUMBER:
                yield BrokenRuleError("invalid property")


class MaxAnimatedImages(Keyword):
    """Maximum number of animated images in a Flex Message."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        count = 0
        remaining = [instance]
        while remaining:
            value = remaining.pop()
            if isinstance(value, dict):
                count += value.get("type") == "image" and value.get("animated") is True
                remaining += value.values()
            elif isinstance(value, list):
                remaining += value
        if count > self.value:
            yield BrokenRuleError(f"must not have more than {self.value} animated images")


class DatetimePickerValues(Keyword):
    """Values of a datetime picker action: they are dates of the calendar, and `max` is greater than `min`."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if not isinstance(instance, dict):
            return
        values: dict[str, datetime] = {}
        for name in ("initial", "max", "min"):
            text = instance.get(name)
            if not isinstance(text, str):
                continue
            try:
                values[name] = datetime.fromisoformat(f"2000-01-01T{text}" if instance.get("mode") == "time" else text)
            except ValueError:
                yield BrokenRuleError("invalid property", (name,))
        if "max" in values and "min" in values and values["max"] <= values["min"]:
            yield BrokenRuleError("invalid property", ("max",))


class EmojiPlaceholders(Keyword):
    """Each LINE emoji of a text has its own placeholder `$`; its index counts UTF-16 code units."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if not isinstance(instance, dict):
            return
        text, emojis = instance.get("text"), instance.get("emojis")
        if not isinstance(text, str) or not isinstance(emojis, list):
            return
        units = text.encode("utf-16-le", "surrogatepass")
        placeholders = {index // 2 for index in range(0, len(units), 2) if units[index : index + 2] == b"$\0"}
        for position, emoji in enumerate(emojis):
            index = emoji.get("index") if isinstance(emoji, dict) else None
            if not isinstance(index, int):
                continue
            if index not in placeholders:
                yield BrokenRuleError("invalid emoji index", ("emojis", position, "index"))
            placeholders.discard(index)


class SubstitutionPlaceholders(Keyword):
    """Each `{key}` of a text has a substitution, and braces are paired. `{{` and `}}` are literal braces."""

    _PART = re.compile(r"\{\{|\}\}|\{([0-9a-zA-Z_]{1,20})\}|[{}]")

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        if not isinstance(instance, dict) or not isinstance(instance.get("text"), str):
            return
        substitution = instance.get("substitution")
        substitutions = substitution if isinstance(substitution, dict) else {}
        used = {"mention": 0, "emoji": 0}
        for part in self._PART.finditer(instance["text"]):
            key = part[1]
            if key is None:
                if part[0] in ("{", "}"):
                    yield BrokenRuleError("invalid braces", ("text",))
                    return
                continue
            target = substitutions.get(key)
            if target is None:
                yield BrokenRuleError(f"no substitution for {{{key}}}", ("text",))
            elif isinstance(target, dict) and target.get("type") in used:
                used[target["type"]] += 1
        if used["mention"] > _MAX_MENTIONS:
            yield BrokenRuleError(f"Size must be between 0 and {_MAX_MENTIONS} mentions", ("substitution",))
        if used["emoji"] > _MAX_EMOJI:
            yield BrokenRuleError(f"Size must be between 0 and {_MAX_EMOJI} emoji", ("substitution",))


KEYWORDS: Mapping[str, type[Keyword]] = {
    "utf16MaxLength": Utf16MaxLength,
    "graphemeMaxLength": GraphemeMaxLength,
    "fullPattern": FullPattern,
    "size": Size,
    "range": Range,
    "mutuallyExclusive": MutuallyExclusive,
    "exactlyOneOf": ExactlyOneOf,
    "sameInAllItems": SameInAllItems,
    "jsonMaxKilobytes": JsonMaxKilobytes,
    "flexAspectRatio": FlexAspectRatio,
    "maxAnimatedImages": MaxAnimatedImages,
    "datetimePickerValues": DatetimePickerValues,
    "emojiPlaceholders": EmojiPlaceholders,
    "substitutionPlaceholders": SubstitutionPlaceholders,
    "richMenuAspectRatio": RichMenuAspectRatio,
}
