"""Compact sets of user numbers: a range plus exceptions, so that ten million users need almost no memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import overload


class UserSet(Sequence[int]):
    """An immutable sequence: the numbers of a range without the excluded ones, followed by the added ones."""

    def __init__(self, base: range, excluded: Sequence[int] = (), added: Sequence[int] = ()) -> None:
        """Create a set.

        Args:
            base: Range of user numbers, in steps of one.
            excluded: Numbers in `base` that are not in the set, in ascending order.
            added: Numbers outside `base` that are in the set, in ascending order.
        """
        self.base = base
        self.excluded = tuple(excluded)
        self.added = tuple(added)
        # For each excluded number: the number of members that precede it.
        self._members_before_excluded = [number - base.start - index for index, number in enumerate(self.excluded)]

    def __len__(self) -> int:
        return len(self.base) - len(self.excluded) + len(self.added)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self._at(position) for position in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(index)
        return self._at(position)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        if number in self.base:
            return not _contains(self.excluded, number)
        return _contains(self.added, number)

    def scan(self, start: int, width: int) -> tuple[list[int], int | None]:
        """Return the members among the next `width` candidates.

        Args:
            start: First number to examine.
            width: How many candidates (numbers of `base`, then of `added`) to examine.

        Returns:
            The members found, and the number to continue at; None at the end.
        """
        start = max(start, self.base.start)
        stop = min(start + width, self.base.stop)
        numbers = [number for number in range(start, stop) if not _contains(self.excluded, number)]
        if start + width < self.base.stop:
            return numbers, start + width
        first = bisect_left(self.added, max(start, stop))
        rest = self.added[first : first + start + width - max(start, stop)]
        end = first + len(rest)
        return numbers + list(rest), self.added[end] if end < len(self.added) else None

    def _at(self, position: int) -> int:
        members_in_base = len(self.base) - len(self.excluded)
        if position >= members_in_base:
            return self.added[position - members_in_base]
        return self.base.start + position + bisect_right(self._members_before_excluded, position)


def union(first: UserSet, second: UserSet) -> UserSet:
    """Return the union of two sets that have the same base range."""
    return UserSet(
        first.base,
        sorted(set(first.excluded) & set(second.excluded)),
        sorted(set(first.added) | set(second.added)),
    )


def _contains(numbers: tuple[int, ...], number: int) -> bool:
    index = bisect_left(numbers, number)
    return index < len(numbers) and numbers[index] == number
