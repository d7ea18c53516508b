"""Plan of a run: the requests it would send, as counts, examples, and a hash for approval.

The hash covers the method, the body and the message ids of each request, in order. A run with the setting `approve`
sends only if its own plan has the approved hash.
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
from target_line.sending.decide.decisions import Invalid, Postponed, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from line_core.store import Store
    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.claim.planner import PagePlan, PagePlanner
    from target_line.sending.decide.decider import DueMessages
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
    examples: list[dict[str, Any]] = field(default_factory=list)
    """The first requests with different contents: message id, method and body."""
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
            "examples": self.examples,
        }

    def lines(self, quota: QuotaStatus) -> Iterator[str]:
        """Yield the plan as log lines."""
        by_method = [
            f"{self.messages[method]:,} by {method} in {self.requests[method]:,}" for method in sorted(self.messages)
        ]
        methods = f": {', '.join(by_method)}" if by_method else ""
        yield f"plan: {self.messages.total():,} messages in {self.requests.total():,} requests{methods}"
        left = "no limit" if quota.left is None else f"{quota.left:,} left"
        yield f"plan: {self.quota_needed:,} of the monthly quota ({left}), without broadcasts and narrowcasts"
        not_sent = ", ".join(f"{outcome} {count:,}" for outcome, count in sorted(self.not_sent.items()))
        yield f"plan: not sent: {not_sent or 'none'}"
        for example in self.examples:
            body = json.dumps(example["body"], ensure_ascii=False)
            yield f"plan: example {example['message_id']} by {example['method']}: {body}"


def plan_pages(store: Store, due: DueMessages, planner: PagePlanner) -> Iterator[PagePlan]:
    """Plan all due messages, page by page, without claiming them.

    Args:
        store: Contains the ledger.
        due: The due messages.
        planner: Groups messages into requests.
    """
    carried_over: list[DecidedMessage] = []
    planned: Counter[str] = Counter()
    for page in due.pages():
        with store.read() as connection:
            plan = planner.plan(connection, page.after(carried_over), planned=planned)
        carried_over = plan.carried_over
        yield plan


def summarize(pages: Iterable[PagePlan]) -> SendPlan:
    """Combine the plans of all pages."""
    plan, contents = SendPlan(), set()
    digest = hashlib.sha256()
    for page in pages:
        plan.not_sent += _count_unsent(page.messages)
        for request in page.requests:
            body = request.body.encode()
            plan.messages[request.method] += len(request.message_ids)
            plan.requests[request.method] += 1
            plan.quota_needed += request.recipients
            digest.update(json.dumps([request.method, body, request.message_ids]).encode())
            if len(plan.examples) < _MAX_EXAMPLES and request.body.content not in contents:
                contents.add(request.body.content)
                plan.examples.append(_example(request, body))
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


def _count_unsent(messages: Iterable[DecidedMessage]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for item in messages:
        match item.decision:
            case Skipped(reason=reason):
                counts[f"{MessageStatus.SKIPPED} ({reason})"] += 1
            case Postponed(reason=reason):
                counts[f"{MessageStatus.SCHEDULED} ({reason})"] += 1
            case Invalid(reason=reason):
                counts[f"{MessageStatus.REJECTED} ({reason})"] += 1
    return counts


def _example(request: PlannedRequest, body: str) -> dict[str, Any]:
    """Return a request for people to read, with the LINE IDs of a multicast abbreviated."""
    members = json.loads(body)
    if isinstance(request.body.to, tuple):
        members["to"] = [request.body.to[0], f"and {len(request.body.to) - 1:,} more"]
    return {"message_id": request.message_ids[0], "method": request.method, "body": members}
