"""Once per campaign: skip messages to people who have got, or may have got, another message of the campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from target_line.reasons import Reason
from target_line.sending.decide.decisions import LineUser, Send, Skipped

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from sqlalchemy import Connection

    from target_line.sending.decide.decisions import Decision


def campaign_keys(decision: Decision) -> set[str]:
    """Return keys of a campaign and each LINE ID of the person; empty for other decisions and recipients."""
    if not isinstance(decision, Send) or not isinstance(decision.to, LineUser) or not decision.content.aggregation_unit:
        return set()
    line_ids = {decision.to.line_id, *decision.line_ids}
    return {_key(decision.content.aggregation_unit, line_id) for line_id in line_ids}


def apply_once_per_campaign(
    connection: Connection, channel: str, decisions: Sequence[Decision], planned: Container[str] = ()
) -> Sequence[Decision]:
    """Return the decisions with further messages of a campaign to a person skipped.

    Args:
        connection: A transaction that sees all earlier claims.
        channel: Name of the sending channel.
        decisions: In sending order. Of a person, the first message of each campaign is kept.
        planned: Keys of planned messages that are not in the ledger as claimed; see `campaign_keys`.
    """
    keys_of = [campaign_keys(decision) for decision in decisions]
    seen = _sent(connection, channel, set().union(*keys_of))
    kept: list[Decision] = []
    for decision, keys in zip(decisions, keys_of, strict=True):
        is_repeated = bool(keys & seen) or any(key in planned for key in keys)
        if is_repeated and isinstance(decision, Send) and decision.is_capped and isinstance(decision.to, LineUser):
            kept.append(Skipped(Reason.ONCE_PER_CAMPAIGN, decision.to.line_id))
            continue
        seen |= keys
        kept.append(decision)
    return kept


def _sent(connection: Connection, channel: str, keys: Iterable[str]) -> set[str]:
    """Return the keys of messages that were or may have been sent."""
    pairs = [key.split(" ") for key in keys]
    if not pairs:
        return set()
    messages = tables.messages.c
    query = select(messages.campaign, messages.line_id).where(
        messages.channel == channel,
        in_values(connection, messages.line_id, {line_id for _, line_id in pairs}),
        in_values(connection, messages.campaign, {campaign for campaign, _ in pairs}),
        messages.status.in_([MessageStatus.CLAIMED, MessageStatus.ACCEPTED, MessageStatus.UNKNOWN]),
        or_(messages.reason.is_(None), messages.reason != Reason.TEST_RECIPIENTS),
    )
    return {_key(campaign, line_id) for campaign, line_id in connection.execute(query)}


def _key(campaign: str, line_id: str) -> str:
    return f"{campaign} {line_id}"  # neither of them contains a blank
