"""Claims without identity data: the test makes the decision about each message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from target_line.sending.claim.claims import RequestClaims
from target_line.sending.claim.planner import PagePlanner
from target_line.sending.decide.content import MessageContent
from target_line.sending.decide.decider import DuePage
from target_line.sending.decide.decisions import DecidedMessage
from target_line.sending.ledger import Cursor
from target_line.sending.policy import SendingPolicy
from target_line.sending.quota import QuotaStatus, SendAllowance

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_line.sending.claim.claims import ClaimResult
    from target_line.sending.decide.decisions import Decision
    from target_line.sending.ledger import DueMessage, Ledger

    Decide = Callable[[DueMessage], Decision]


def text_content(text: str) -> MessageContent:
    """Return content with one text message."""
    return MessageContent(json.dumps([{"type": "text", "text": text}], separators=(",", ":")))


def request_claims(ledger: Ledger, policy: SendingPolicy | None = None) -> RequestClaims:
    """Return the claims of a ledger, with default settings unless a policy is given."""
    return RequestClaims(ledger, PagePlanner(ledger.channel, policy or SendingPolicy()))


def allowance_of(channel: str = "main", *, quota: int | None = None, max_sends: int | None = None) -> SendAllowance:
    """Return an allowance with the given limits; None for no limit."""
    return SendAllowance(channel, QuotaStatus(quota, 0, datetime.now(UTC)), max_sends=max_sends)


def due_page(ledger: Ledger, decide: Decide, after: Cursor | None = None, size: int = 5000) -> DuePage:
    """Read and decide one page of due messages. A page that is not full is the last one."""
    due = ledger.read_due(after or Cursor(), size)
    decided = [DecidedMessage(item, decide(item)) for item in due]
    return DuePage(decided, len(due) < size, datetime.now(UTC))


def claim_due(claims: RequestClaims, ledger: Ledger, decide: Decide, max_sends: int | None = None) -> ClaimResult:
    """Claim all due messages, at most 5,000."""
    return claims.claim(due_page(ledger, decide), allowance_of(ledger.channel, max_sends=max_sends))
