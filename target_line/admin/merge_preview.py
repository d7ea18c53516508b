"""Preview of the merges that a file of records would cause, read as a run of target-line would read them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_core.errors import SettingError
from target_line.identity.records import ParsedEvidence
from target_line.intake.roles import Role, role_of
from target_line.reasons import RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from line_core.identity.model import EvidenceRecord
    from target_line.admin.output import Row
    from target_line.identity.repository import IdentityRepository
    from target_line.record_parser import RecordParser

_SINGER_TYPES = frozenset({"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH"})


class _UnreadableLineError(Exception):
    """A line of the file is not a record."""


@dataclass(slots=True)
class MergePreview:
    """Reads the lines of a file, and tells which merges their records would cause."""

    parser: RecordParser
    stream_roles: Mapping[str, str]
    """The setting of that name."""
    problems: list[str] = field(default_factory=list)
    """The lines, and identifiers of lines, that a run would reject, with the reason."""

    def merges(self, repository: IdentityRepository, lines: Iterable[str]) -> Iterator[Row]:
        """Return the merges. The store is not changed.

        Args:
            repository: The identity store.
            lines: One record of profiles per line, or the Singer messages of a tap.
        """
        evidence = list(self._evidence(lines))
        for merge in repository.preview(evidence):
            yield {
                "rule": merge.rule.value,
                "who": str(merge.absorbed),
                "into": str(merge.survivor),
                "by": str(merge.identifier),
            }

    def _evidence(self, lines: Iterable[str]) -> Iterator[EvidenceRecord]:
        """Yield the evidence of all lines; rejected opt-outs count as in a run."""
        for number, line in enumerate(lines, start=1):
            try:
                for role, record in _records(line, self.stream_roles):
                    parsed = self.parser.parse(role, record)
                    if isinstance(parsed, ParsedEvidence):
                        self.problems += (
                            f"line {number}: {notice.detail} ({notice.reason})" for notice in parsed.notices
                        )
                        yield from parsed.records
            except RejectedRecordError as error:
                self.problems.append(f"line {number} would be rejected: {error.detail} ({error.reason})")
                if error.opt_out:
                    yield error.opt_out
            except (_UnreadableLineError, SettingError) as error:
                self.problems.append(f"line {number}: {error}")


def _records(line: str, stream_roles: Mapping[str, str]) -> Iterator[tuple[Role, dict[str, Any]]]:
    """Yield the record of a line with its role; nothing for an empty line or a Singer message without a record."""
    if not line.strip():
        return
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise _UnreadableLineError("not JSON") from None
    role = Role.PROFILES
    if isinstance(value, dict) and value.get("type") in _SINGER_TYPES and ("stream" in value or "value" in value):
        if value["type"] != "RECORD":
            return
        role = role_of(str(value.get("stream")), stream_roles)
        value = value.get("record")
    if not isinstance(value, dict):
        raise _UnreadableLineError("not a record")
    if role is not Role.MESSAGES:
        yield role, value
