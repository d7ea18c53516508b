"""Frequency cap: skip messages to a LINE ID above the maximum number in a period."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from target_line.reasons import Reason
from target_line.sending.decide.decisions import LineUser, Send, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from target_line.sending.decide.decisions import Decision
    from target_line.sending.policy import FrequencyCap


def apply_frequency_cap(
    connection: Connection,
    channel: str,
    cap: FrequencyCap | None,
    decisions: Sequence[Decision],
    planned: Mapping[str, int] | None = None,
) -> Sequence[Decision]:
    """Return the decisions with messages above the cap skipped.

    Args:
        connection: A transaction that sees all earlier claims.
        channel: Name of the sending channel.
        cap: The setting; None for no cap.
        decisions: In sending order. The first messages to a LINE ID are kept.
        planned: Planned messages by LINE ID that are not in the ledger as claimed.
    """
    if cap is None:
        return decisions
    line_ids = {
        decision.to.line_id
        for decision in decisions
        if isinstance(decision, Send) and isinstance(decision.to, LineUser)
    }
    if not line_ids:
        return decisions
    sent = count_sent(connection, channel, line_ids, datetime.now(UTC) - cap.per)
    sent.update(planned)
    return skip_above_cap(decisions, sent, cap.messages)


def skip_above_cap(decisions: Sequence[Decision], sent: Counter[str], max_messages: int) -> list[Decision]:
    """Return the decisions with messages above the maximum skipped. Pure.

    Args:
        decisions: In sending order.
        sent: Number of messages already sent, by LINE ID. Updated.
        max_messages: Maximum number of messages per LINE ID.
    """
    capped: list[Decision] = []
    for decision in decisions:
        if isinstance(decision, Send) and isinstance(decision.to, LineUser):
            line_id = decision.to.line_id
            if decision.is_capped and sent[line_id] >= max_messages:
                capped.append(Skipped(Reason.FREQUENCY_CAP, line_id))
                continue
            sent[line_id] += 1
        capped.append(decision)
    return capped


def count_sent(connection: Connection, channel: str, line_ids: Iterable[str], since: datetime) -> Counter[str]:
    """Return the number of messages that were or may have been sent since a time, by LINE ID."""
    messages = tables.messages.c
    query = (
        select(messages.line_id, func.count())
        .where(
            messages.channel == channel,
            in_values(connection, messages.line_id, line_ids),
            messages.status.in_([MessageStatus.CLAIMED, MessageStatus.ACCEPTED, MessageStatus.UNKNOWN]),
            messages.updated_at > since,
            or_(messages.reason.is_(None), messages.reason != Reason.TEST_RECIPIENTS),
        )
        .group_by(messages.line_id)
    )
    return Counter({line_id: count for line_id, count in connection.execute(query) if line_id})
