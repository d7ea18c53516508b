"""Rules of LINE's that JSON Schema has no word for, as keywords of our schemas.

Each keyword is a class that `jsonschema_rs` makes with the keyword's value and asks with `iter_errors`; the errors
carry LINE's words and where below the checked value they belong.

Source: LINE Messaging API reference, "Message objects", "Action objects", "Rich menu object".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from line_core.messages.lengths import grapheme_length, utf16_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MAX_MENTIONS = 20
_MAX_EMOJI = 20
_RICH_MENU_RATIO = 1.45
_TALLEST_RATIO = 3
_WIDEST = 100_000


class BrokenRuleError(ValueError):
    """A rule is broken; the text is LINE's."""

    def __init__(self, message: str, below: tuple[str | int, ...] = (), *, measured: str = "") -> None:
        """Say which rule.

        Args:
            message: LINE's words.
            below: The path from the checked value to what is wrong with it.
            measured: How much of what is allowed there is.
        """
        super().__init__(message)
        self.below = below
        self.measured = measured


class Keyword:
    """What the keywords have in common."""

    def __init__(self, _schema: dict[str, Any], value: Any, _path: list[str | int]) -> None:  # noqa: ANN401 - any JSON
        self.value = value

    def validate(self, instance: Any) -> None:  # noqa: ANN401 - any JSON
        """Check a value.

        Raises:
            BrokenRuleError: It breaks the rule.
        """
        for error in self.iter_errors(instance):
            raise error

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Every way in which a value breaks the rule."""
        raise NotImplementedError


class _MaxLength(Keyword):
    measure: ClassVar[Callable[[str], int]]

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Too long a text."""
        if isinstance(instance, str) and (length := type(self).measure(instance)) > self.value:
            words = f"Length must be between 0 and {self.value}"
            yield BrokenRuleError(words, measured=f"{length} of {self.value} characters")


class Utf16MaxLength(_MaxLength):
    """The longest text, in UTF-16 code units."""

    measure = utf16_length


class GraphemeMaxLength(_MaxLength):
    """The longest text, in grapheme clusters."""

    measure = grapheme_length


class Written(Keyword):
    """A pattern that a whole text must have, and LINE's words where it has not."""

    def __init__(self, schema: dict[str, Any], value: dict[str, str], path: list[str | int]) -> None:
        """Read the pattern."""
        super().__init__(schema, value, path)
        self._pattern = re.compile(value["pattern"])

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """A text that is written otherwise."""
        if isinstance(instance, str) and not self._pattern.fullmatch(instance):
            yield BrokenRuleError(self.value["words"])


class Size(Keyword):
    """The fewest and the most items of an array, or UTF-16 code units of a text."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Too few or too many."""
        fewest, most = self.value
        if not isinstance(instance, (list, str)):
            return
        size = len(instance) if isinstance(instance, list) else utf16_length(instance)
        if not fewest <= size <= most:
            yield BrokenRuleError(f"Size must be between {fewest} and {most}")


class Between(Keyword):
    """The smallest and the largest number."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Too small or too large."""
        smallest, largest = self.value
        if isinstance(instance, (int, float)) and not smallest <= instance <= largest:
            yield BrokenRuleError(f"Must be between {smallest} and {largest}")


class NotTogether(Keyword):
    """Properties of which only one may be given."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """More than one of them."""
        if isinstance(instance, dict):
            given = [name for name in self.value if name in instance]
            yield from (BrokenRuleError("Must not be specified", (name,)) for name in given[1:])


class OnlyOneOf(Keyword):
    """Properties of which exactly one must be given."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """None, or more than one."""
        if isinstance(instance, dict) and sum(name in instance for name in self.value) != 1:
            yield BrokenRuleError(f"Must have exactly one of [{', '.join(self.value)}]")


class WiderThanTall(Keyword):
    """A rich menu's size, whose width is at least 1.45 times its height."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Too tall."""
        if isinstance(instance, dict):
            width, height = instance.get("width"), instance.get("height")
            if isinstance(width, int) and isinstance(height, int) and width < height * _RICH_MENU_RATIO:
                yield BrokenRuleError(f"aspect ratio must be at least {_RICH_MENU_RATIO}")


class SameInAll(Keyword):
    """Properties that all objects of an array must have alike: arrays as long, sizes the same, others given or not."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Objects unlike the first."""
        if not isinstance(instance, list) or not all(isinstance(item, dict) for item in instance):
            return
        for name in self.value:
            for place, item in enumerate(instance[1:], start=1):
                if self._shape(name, item) != self._shape(name, instance[0]):
                    yield BrokenRuleError("Must be the same in all columns and bubbles", (place, name))

    @staticmethod
    def _shape(name: str, item: dict[str, Any]) -> object:
        value = item.get(name)
        if isinstance(value, list):
            return len(value)
        return value if name == "size" else value is None


class JsonMaxKilobytes(Keyword):
    """The largest JSON text of an object."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Too large an object."""
        if len(msgspec.json.encode(instance)) > self.value * 1024:
            yield BrokenRuleError(f"Size must be less than or equal to {self.value} KB")


class NotTallerThanThreeWidths(Keyword):
    """An aspect ratio, as `width:height`."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Too tall a ratio, or too large a number."""
        match = re.fullmatch(r"([0-9.]+):([0-9.]+)", instance) if isinstance(instance, str) else None
        if match:
            width, height = float(match[1]), float(match[2])
            if height > width * _TALLEST_RATIO or max(width, height) > _WIDEST:
                yield BrokenRuleError("invalid property")


class EmojiPlaceholders(Keyword):
    """Every LINE emoji of a text stands at a `$`, counted in UTF-16 code units."""

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Emoji that stand elsewhere, or where another one stands."""
        if not isinstance(instance, dict):
            return
        text, emojis = instance.get("text"), instance.get("emojis")
        if not isinstance(text, str) or not isinstance(emojis, list):
            return
        units = text.encode("utf-16-le", "surrogatepass")
        free = {index // 2 for index in range(0, len(units), 2) if units[index : index + 2] == b"$\0"}
        for place, emoji in enumerate(emojis):
            index = emoji.get("index") if isinstance(emoji, dict) else None
            if not isinstance(index, int):
                continue
            if index not in free:
                yield BrokenRuleError("invalid emoji index", ("emojis", place, "index"))
            free.discard(index)


class SubstitutionPlaceholders(Keyword):
    """Every `{key}` of a text has its substitution, and braces come in pairs; `{{` and `}}` are braces."""

    _PART = re.compile(r"\{\{|\}\}|\{([0-9a-zA-Z_]{1,20})\}|[{}]")

    def iter_errors(self, instance: Any) -> Iterator[BrokenRuleError]:  # noqa: ANN401 - any JSON
        """Braces alone, keys without a substitution, too many of one kind."""
        if not isinstance(instance, dict) or not isinstance(instance.get("text"), str):
            return
        substitution = instance.get("substitution")
        known = substitution if isinstance(substitution, dict) else {}
        used = {"mention": 0, "emoji": 0}
        for part in self._PART.finditer(instance["text"]):
            key = part[1]
            if key is None:
                if part[0] in ("{", "}"):
                    yield BrokenRuleError("invalid braces", ("text",))
                    return
                continue
            target = known.get(key)
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
    "written": Written,
    "size": Size,
    "between": Between,
    "notTogether": NotTogether,
    "onlyOneOf": OnlyOneOf,
    "sameInAll": SameInAll,
    "jsonMaxKilobytes": JsonMaxKilobytes,
    "notTallerThanThreeWidths": NotTallerThanThreeWidths,
    "emojiPlaceholders": EmojiPlaceholders,
    "substitutionPlaceholders": SubstitutionPlaceholders,
    "widerThanTall": WiderThanTall,
}
