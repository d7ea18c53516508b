"""Plan of a run: the requests it would send, as counts, examples, and a hash for approval.

The hash covers the method, the body and the message ids of each request, in order, and the messages that are due later.
A run with the setting `approve` sends only if its own plan has the approved hash.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.errors import LineError
from line_core.message_status import MessageStatus
from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.ledger import plans
from target_line.sending.decide.decisions import Invalid, Postponed, Send, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from line_core.store import Store
    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.claim.planner import PagePlan
    from target_line.sending.decide.decisions import DecidedMessage
    from target_line.sending.quota import QuotaStatus

_MAX_EXAMPLES = 3


class PlanChangedError(LineError):
    """The run would send something else than the approved plan."""


@dataclass
class SendPlan:
    """Requests that a run would send, in numbers."""

    messages: Counter[str] = field(default_factory=Counter)
    """Number of messages by send method."""
    requests: Counter[str] = field(default_factory=Counter)
    """Number of requests by send method."""
    quota_needed: int = 0
    """Quota for pushes and multicasts. Only LINE knows how much broadcasts and narrowcasts need."""
    not_sent: Counter[str] = field(default_factory=Counter)
    """Number of messages that are not sent, by status and reason."""
    above_limit: int = 0
    """Number of due messages that stay scheduled because of the quota or `max_sends_per_run`."""
    later: Counter[str] = field(default_factory=Counter)
    """Number of messages that are due later, by the outcome that they would have now."""
    first_later: datetime | None = None
    """When the first of these messages is due."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """The first requests with different contents: message id, method and body."""
    problems: dict[str, dict[str, str]] = field(default_factory=dict)
    """By reason code, the first message that is rejected for it: message id and detail."""
    plan_hash: str = ""
    """SHA-256, hexadecimal."""

    def summary(self, quota: QuotaStatus) -> dict[str, Any]:
        """Return the plan as JSON, for the store and for `target-line-admin plans`."""
        return {
            "plan": self.plan_hash,
            "messages": dict(sorted(self.messages.items())),
            "requests": dict(sorted(self.requests.items())),
            "quota": {"needed": self.quota_needed, "left": quota.left, "limit": quota.limit},
            "not_sent": dict(sorted(self.not_sent.items())),
            "above_limit": self.above_limit,
            "later": dict(sorted(self.later.items())),
            "first_later": self.first_later.isoformat() if self.first_later else None,
            "examples": self.examples,
            "problems": self.problems,
        }

    def lines(self, quota: QuotaStatus) -> Iterator[str]:
        """Yield the plan as log lines, without contents of messages."""
        by_method = [
            f"{self.messages[method]:,} by {method} in {self.requests[method]:,}" for method in sorted(self.messages)
        ]
        methods = f": {', '.join(by_method)}" if by_method else ""
        yield f"plan: {self.messages.total():,} messages in {self.requests.total():,} requests{methods}"
        left = "no limit" if quota.left is None else f"{quota.left:,} left"
        yield f"plan: {self.quota_needed:,} of the monthly quota ({left}), without broadcasts and narrowcasts"
        yield f"plan: not sent: {_listed(self.not_sent)}"
        if self.above_limit:
            limits = "quota, quota_reserve, max_sends_per_run"
            yield f"plan: {self.above_limit:,} more are due and stay scheduled ({limits})"
        if self.later:
            first = f"{self.first_later:%Y-%m-%d %H:%M} UTC" if self.first_later else "unknown"
            yield f"plan: later: {self.later.total():,}, the first at {first}: {_listed(self.later)}"
        for reason, problem in self.problems.items():
            yield f"plan: an example of {reason} is message {problem['message_id']}"
        if self.examples or self.problems:
            yield "plan: `target-line-admin plans --format jsonl` has examples of contents, and details of rejects"


def summarize(pages: Iterable[PagePlan], *, due: int = 0, later: Iterable[DecidedMessage] = ()) -> SendPlan:
    """Combine the plans of all pages.

    Args:
        pages: The plans.
        due: The number of due messages. Those that are on no page stay scheduled.
        later: Messages that are due later, decided as of that time.
    """
    plan, contents = SendPlan(), set()
    digest = hashlib.sha256()
    for page in pages:
        for item in page.messages:
            _count_unsent(plan, plan.not_sent, item)
        for request in page.requests:
            body = request.body.encode()
            plan.messages[request.method] += len(request.message_ids)
            plan.requests[request.method] += 1
            plan.quota_needed += request.recipients
            digest.update(json.dumps([request.method, body, request.message_ids]).encode())
            if len(plan.examples) < _MAX_EXAMPLES and request.body.content not in contents:
                contents.add(request.body.content)
                plan.examples.append(_example(request, body))
    plan.above_limit = max(due - plan.messages.total() - plan.not_sent.total(), 0)
    for item in later:
        _add_later(plan, item)
        digest.update(_later_text(item).encode(errors="surrogatepass"))
    plan.plan_hash = digest.hexdigest()
    return plan


def save_plan(store: Store, channel: str, plan: SendPlan, quota: QuotaStatus) -> None:
    """Save a plan for `target-line-admin plans`. A plan with the same hash is replaced."""
    with store.write() as connection:
        statement = insert_on_conflict(connection, plans).values(
            channel=channel, plan_hash=plan.plan_hash, made_at=datetime.now(UTC), summary=plan.summary(quota)
        )
        new = {"made_at": statement.excluded.made_at, "summary": statement.excluded.summary}
        connection.execute(statement.on_conflict_do_update(index_elements=["channel", "plan_hash"], set_=new))


def _later_text(item: DecidedMessage) -> str:
    decision = item.decision
    outcome = (decision.to, decision.content) if isinstance(decision, Send) else decision.reason
    return repr((item.due.message_id, item.due.due_at, outcome))


def _add_later(plan: SendPlan, item: DecidedMessage) -> None:
    due_at = item.due.due_at
    if due_at and (plan.first_later is None or due_at < plan.first_later):
        plan.first_later = due_at
    if isinstance(item.decision, Send):
        plan.later[str(MessageStatus.SCHEDULED)] += 1
    else:
        _count_unsent(plan, plan.later, item)


def _count_unsent(plan: SendPlan, counts: Counter[str], item: DecidedMessage) -> None:
    match item.decision:
        case Skipped(reason=reason):
            counts[f"{MessageStatus.SKIPPED} ({reason})"] += 1
        case Postponed(reason=reason):
            counts[f"{MessageStatus.SCHEDULED} ({reason})"] += 1
        case Invalid(reason=reason, detail=detail):
            counts[f"{MessageStatus.REJECTED} ({reason})"] += 1
            plan.problems.setdefault(str(reason), {"message_id": item.due.message_id, "detail": detail})


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{outcome} {count:,}" for outcome, count in sorted(counts.items())) or "none"


def _example(request: PlannedRequest, body: str) -> dict[str, Any]:
    """Return a request for people to read, with the LINE IDs of a multicast abbreviated."""
    members = json.loads(body)
    if isinstance(request.body.to, tuple):
        members["to"] = [request.body.to[0], f"and {len(request.body.to) - 1:,} more"]
    return {"message_id": request.message_ids[0], "method": request.method, "body": members}
