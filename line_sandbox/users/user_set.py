"""A crowd of numbered people, kept as a range and its exceptions, so that ten million take no memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import overload


class Crowd(Sequence[int]):
    """The numbers of a range, less those excluded, and then those added; immutable."""

    def __init__(self, base: range, excluded: Sequence[int] = (), added: Sequence[int] = ()) -> None:
        """Make a crowd.

        Args:
            base: The numbers that most are of, in steps of one.
            excluded: Numbers of `base` that are not in it, ascending.
            added: Numbers outside `base` that are in it, ascending.
        """
        self.base = base
        self.excluded = tuple(excluded)
        self.added = tuple(added)
        # The position in the crowd before which each excluded number would stand.
        self._gaps = [number - base.start - place for place, number in enumerate(self.excluded)]

    def __len__(self) -> int:
        """How many people there are."""
        return len(self.base) - len(self.excluded) + len(self.added)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        """The number at a position, or those at a slice of positions."""
        if isinstance(index, slice):
            return [self._at(position) for position in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(index)
        return self._at(position)

    def __contains__(self, number: object) -> bool:
        """Whether a number is in it."""
        if not isinstance(number, int):
            return False
        if number in self.base:
            return not _holds(self.excluded, number)
        return _holds(self.added, number)

    def window(self, start: int, width: int) -> tuple[list[int], int | None]:
        """Look through a stretch of numbers.

        Args:
            start: The first number to look at.
            width: How many numbers of the base, or of those added, to look at.

        Returns:
            Those of them that are in the crowd, and the number to go on at; None at the end.
        """
        start = max(start, self.base.start)
        stop = min(start + width, self.base.stop)
        numbers = [number for number in range(start, stop) if not _holds(self.excluded, number)]
        if start + width < self.base.stop:
            return numbers, start + width
        first = bisect_left(self.added, max(start, stop))
        rest = self.added[first : first + start + width - max(start, stop)]
        end = first + len(rest)
        return numbers + list(rest), self.added[end] if end < len(self.added) else None

    def _at(self, position: int) -> int:
        remaining = len(self.base) - len(self.excluded)
        if position >= remaining:
            return self.added[position - remaining]
        return self.base.start + position + bisect_right(self._gaps, position)


def union(first: Crowd, second: Crowd) -> Crowd:
    """Everybody who is in one of two crowds of the same base."""
    return Crowd(
        first.base,
        sorted(set(first.excluded) & set(second.excluded)),
        sorted(set(first.added) | set(second.added)),
    )


def _holds(numbers: tuple[int, ...], number: int) -> bool:
    place = bisect_left(numbers, number)
    return place < len(numbers) and numbers[place] == number
