"""Names of columns: found in any case, as databases such as Snowflake and Oracle write them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from target_line.reasons import Reason, RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_known_names(record: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    """Return the record with the known columns in lower case; the same object if they are already.

    A column that is there in lower case is used, and others that differ from it only in case are not changed.

    Args:
        record: A record.
        known: Names in lower case.

    Raises:
        RejectedRecordError: Two columns could be the same known column, such as `Id` and `ID`.
    """
    renamed = _renamed(tuple(record), known)
    if not renamed:
        return record
    if ambiguous := _ambiguous(renamed):
        names = ", ".join(sorted(ambiguous))
        raise RejectedRecordError(Reason.INVALID_RECORD, f"the columns {names} differ only in case", names)
    return {renamed.get(name, name): value for name, value in record.items()}


def with_unambiguous_names(record: Mapping[str, Any], known: frozenset[str]) -> Mapping[str, Any]:
    """Return the record like `with_known_names`, but without an error: ambiguous columns keep their names."""
    renamed = _renamed(tuple(record), known)
    ambiguous = _ambiguous(renamed)
    return {name if name in ambiguous else renamed.get(name, name): value for name, value in record.items()}


@lru_cache(maxsize=1000)
def spellings_in(names: tuple[str, ...], wanted: tuple[str, ...]) -> dict[str, str]:
    """Return which names are, in any case, wanted ones: the spelling in `wanted` by name."""
    spelling_of = {name.casefold(): name for name in reversed(wanted)}
    return {name: spelling_of[folded] for name in names if (folded := name.casefold()) in spelling_of}


class ColumnPlan(NamedTuple):
    """How records with certain columns are read."""

    has_known_names: bool
    """Whether `with_known_names` would return the same record."""
    others: tuple[str, ...]
    """The names that are not known ones."""
    spelling_of: dict[str, str]
    """Which of the others are wanted; see `spellings_in`."""


@lru_cache(maxsize=1000)
def column_plan(names: tuple[str, ...], known: frozenset[str], wanted: tuple[str, ...]) -> ColumnPlan:
    """Return the plan of all records that have these columns in this order."""
    others = tuple(name for name in names if name not in known)
    return ColumnPlan(not _renamed(names, known), others, spellings_in(others, wanted))


@lru_cache(maxsize=1000)
def _renamed(names: tuple[str, ...], known: frozenset[str]) -> dict[str, str]:
    return {
        name: folded
        for name in names
        if name not in known and (folded := name.casefold()) in known and folded not in names
    }


def _ambiguous(renamed: Mapping[str, str]) -> set[str]:
    known = list(renamed.values())
    return {name for name, folded in renamed.items() if known.count(folded) > 1}
