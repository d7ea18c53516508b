"""Preview of the merges that a file of `profiles` records would cause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from line_core.errors import LineError
from line_core.store.saved_policy import load_policy
from target_line.identity.identifiers import IdentifierReader
from target_line.identity.placeholders import Placeholders
from target_line.identity.records import EvidenceParser
from target_line.identity.repository import IdentityRepository
from target_line.reasons import RejectedRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.identity.model import EvidenceRecord
    from line_core.store import Store
    from target_line.admin.output import Row

_SINGER_TYPES = frozenset({"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"})


class PreviewError(LineError):
    """The file contains a line that is not a valid record."""


def preview_merges(store: Store, file: TextIO, provider: str) -> Iterator[Row]:
    """Return the merges that the records would cause. The store is not changed.

    Args:
        store: The open store.
        file: One JSON record per line, or the Singer messages of a tap.
        provider: Provider that issued the LINE IDs.

    Raises:
        PreviewError: A line is not JSON, or contains a record that would be rejected.
    """
    policy = load_policy(store)
    parser = EvidenceParser(IdentifierReader(provider, Placeholders()), policy.rank, opt_out_attributes=policy.opt_outs)
    for merge in IdentityRepository(store, policy).preview(list(_evidence(file, parser))):
        yield {
            "rule": merge.rule.value,
            "who": str(merge.absorbed),
            "into": str(merge.survivor),
            "by": str(merge.identifier),
        }


def _evidence(file: TextIO, parser: EvidenceParser) -> Iterator[EvidenceRecord]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        record = _record(line, number)
        if record is None:
            continue
        try:
            yield from parser.parse_profile(record).records
        except RejectedRecordError as error:
            raise PreviewError(f"line {number} would be rejected: {error.detail}") from None


def _record(line: str, number: int) -> dict[str, Any] | None:
    """Return the record of a line, None for a Singer message without one."""
    try:
        value = json.loads(line)
    except ValueError:
        raise PreviewError(f"line {number} is not JSON") from None
    if isinstance(value, dict) and value.get("type") in _SINGER_TYPES:
        value = value.get("record")
    if value is not None and not isinstance(value, dict):
        raise PreviewError(f"line {number} is not a record")
    return value
