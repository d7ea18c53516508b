"""Names of columns that a run sees, for warnings about names that no record has."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from target_line.intake.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_SHOWN = 20
"""Names in a warning."""
_MAX_KNOWN = 1000
"""Combinations of column names that are remembered for each stream. Others are looked at again."""

_logger = logging.getLogger("target-line")


class ColumnWatch:
    """Collects the names of columns by stream, and warns about names that have no effect.

    Column names are not personal data, so warnings contain them.
    """

    def __init__(
        self, message_columns: frozenset[str], *, opt_outs: tuple[str, ...], time_zone: str | None, channel: str
    ) -> None:
        """Create a watch for one run.

        Args:
            message_columns: The columns of `messages` records that have a meaning.
            opt_outs: The setting `suppression_attributes`.
            time_zone: The setting `time_zone_attribute` if there are quiet hours, else None.
            channel: The setting `channel`.
        """
        self._message_columns = message_columns
        self._opt_outs = opt_outs
        self._time_zone = time_zone
        self._channel = channel
        self._channels_of_follows: set[str] = set()
        self._watched = {name.casefold() for name in (*opt_outs, *filter(None, [time_zone]))}
        self._profile_columns: defaultdict[str, set[str]] = defaultdict(set)
        self._known: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
        self._ignored: defaultdict[str, set[str]] = defaultdict(set)

    def add_schema(self, stream: str, role: Role, schema: Mapping[str, Any]) -> None:
        """Add the columns that a stream declares."""
        columns = schema.get("properties")
        if isinstance(columns, dict):
            self._add_names(stream, role, tuple(columns))
            nested = columns.get("attributes")
            if role is Role.PROFILES and isinstance(nested, dict) and isinstance(nested.get("properties"), dict):
                self._add_names(stream, role, tuple(nested["properties"]))

    def add(self, stream: str, role: Role, record: Mapping[str, Any]) -> None:
        """Add the columns of a record. A column of messages without a meaning is named in a warning, once."""
        names, known = tuple(record), self._known[stream]
        if names not in known:
            if len(known) < _MAX_KNOWN:
                known.add(names)
            self._add_names(stream, role, names)
        nested = record.get("attributes", record.get("ATTRIBUTES"))
        if nested is not None and role is Role.PROFILES:
            self._add_nested(self._profile_columns[stream], nested)

    def add_channel(self, channel: str) -> None:
        """Add the channel of a follow state."""
        if len(self._channels_of_follows) < _MAX_KNOWN:
            self._channels_of_follows.add(channel)

    def warnings(self) -> Iterator[str]:
        """Yield the warnings about profiles and follow states, at the end of the input."""
        if self._channels_of_follows and self._channel not in self._channels_of_follows:
            yield (
                f"all follow states of this run belong to other channels ({_listed(self._channels_of_follows)}), so "
                f"they do not say who follows the channel {self._channel} of the setting channel"
            )
        if not self._profile_columns:
            return
        wanted = {name.casefold(): name for name in self._opt_outs}
        without = sorted(stream for stream, seen in self._profile_columns.items() if seen.isdisjoint(wanted))
        if wanted and without:
            yield (
                f"no record of the stream {', '.join(without)} has an attribute of suppression_attributes "
                f"({', '.join(self._opt_outs)}): these records opt nobody out"
            )
        seen = set().union(*self._profile_columns.values())
        missing = [name for folded, name in wanted.items() if folded not in seen] if seen & wanted.keys() else []
        if missing:
            yield f"no profiles record of this run has the attribute {', '.join(missing)} of suppression_attributes"
        if self._time_zone and self._time_zone.casefold() not in seen:
            yield (
                f"no profiles record of this run has the attribute {self._time_zone} of time_zone_attribute: "
                "quiet_hours are in the setting time_zone"
            )

    def _add_nested(self, seen: set[str], nested: object) -> None:
        """Add the watched names among the keys of the column `attributes`, an object or its JSON text."""
        unseen = self._watched - seen
        if not unseen:
            return
        if isinstance(nested, dict):
            seen |= unseen.intersection(map(str.casefold, nested))
        elif isinstance(nested, str):
            text = nested.casefold()
            seen.update(name for name in unseen if f'"{name}"' in text)

    def _add_names(self, stream: str, role: Role, names: tuple[str, ...]) -> None:
        folded = {name.casefold() for name in names}
        if role is Role.PROFILES:
            self._profile_columns[stream] |= folded
        elif role is Role.MESSAGES:
            ignored = {name for name in names if name.casefold() not in self._message_columns}
            if new := ignored - self._ignored[stream]:
                self._ignored[stream] |= new
                _logger.warning("Stream %r: columns that have no meaning are ignored: %s", stream, _listed(new))


def _listed(names: set[str]) -> str:
    shown = sorted(names)[:_MAX_SHOWN]
    return ", ".join(shown) + (", …" if len(names) > _MAX_SHOWN else "")
