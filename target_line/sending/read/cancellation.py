"""Parse cancellations: records of a `cancellations` stream, and `messages` records of rows that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.read.message import parse_campaign, parse_message_id, parse_yes_or_no

if TYPE_CHECKING:
    from collections.abc import Mapping

DELETION_COLUMNS = ("_sdc_deleted_at", "_sdc_lsn_deleted_at", "_ab_cdc_deleted_at", "_fivetran_deleted")
"""Columns in which extractors write that a row was deleted from its table: a time, or true."""
_DELETION_COLUMNS = frozenset(DELETION_COLUMNS)
CANCELLATION_COLUMNS = frozenset({"message_id", "campaign"})


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A message, or all scheduled messages of a campaign, that must not be sent."""

    message_id: str | None = None
    campaign: str | None = None
    """Used if there is no message_id."""

    def as_record(self) -> dict[str, Any]:
        """Return the record that the ledger and rejects keep."""
        return {"message_id": self.message_id} if self.message_id else {"campaign": self.campaign}


def cancellation_in_message(record: Mapping[str, Any]) -> Cancellation | None:
    """Return the cancellation in a `messages` record: `cancelled` is true, or the row was deleted. None without one.

    Raises:
        RejectedRecordError: The record has no message_id, or `cancelled` is no boolean.
    """
    is_deleted = not _DELETION_COLUMNS.isdisjoint(record) and any(
        record.get(column) not in (None, "", False, 0) for column in DELETION_COLUMNS
    )
    if not is_deleted and not parse_yes_or_no(record.get("cancelled"), "cancelled"):
        return None
    return Cancellation(message_id=parse_message_id(record.get("message_id")))


def parse_cancellation(record: Mapping[str, Any]) -> Cancellation:
    """Parse a record of a `cancellations` stream: `message_id`, or else `campaign`.

    Raises:
        RejectedRecordError: The record has neither, or a value is malformed.
    """
    if record.get("message_id") not in (None, ""):
        return Cancellation(message_id=parse_message_id(record["message_id"]))
    campaign = parse_campaign(record.get("campaign"))
    if campaign is None:
        raise RejectedRecordError(Reason.NO_MESSAGE_ID, "a cancellation needs message_id or campaign", "message_id")
    return Cancellation(campaign=campaign)
