"""What would be sent, without sending it: the same decisions and the same plan as a run that sends."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.errors import LineError
from line_core.store.dialects import insert_on_conflict
from line_core.store.tables.ledger import plans
from target_line.sending.claim.plan import full_chunks, plan
from target_line.sending.decide.rules import Invalid, Postponed, Send, Skipped, User

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.store import Store
    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.claim.quota import Quota
    from target_line.sending.decide.decider import Decided, Decider
    from target_line.sending.ledger import Ledger
    from target_line.sending.policy import SendingPolicy

_EXAMPLES = 3


class PlanChangedError(LineError):
    """What would be sent is not what was approved."""


@dataclass
class Plan:
    """What would be sent."""

    messages: Counter[str] = field(default_factory=Counter)
    """By method."""
    requests: Counter[str] = field(default_factory=Counter)
    """By method."""
    quota_needed: int = 0
    """What broadcasts and narrowcasts need is not in it: only LINE knows."""
    not_sent: Counter[str] = field(default_factory=Counter)
    """By status and reason."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """The first requests of different content: message id, method and body."""
    plan_hash: str = ""

    def summary(self, quota: Quota) -> dict[str, Any]:
        """The plan as JSON, for people and for the store."""
        return {
            "plan": self.plan_hash,
            "messages": dict(sorted(self.messages.items())),
            "requests": dict(sorted(self.requests.items())),
            "quota": {"needed": self.quota_needed, "left": quota.left, "limit": quota.limit},
            "not_sent": dict(sorted(self.not_sent.items())),
            "examples": self.examples,
        }

    def lines(self, quota: Quota) -> Iterator[str]:
        """The plan in words, a line a subject."""
        by_method = [
            f"{self.messages[method]:,} by {method} in {self.requests[method]:,}" for method in sorted(self.messages)
        ]
        parts = f": {', '.join(by_method)}" if by_method else ""
        yield f"plan: {self.messages.total():,} messages in {self.requests.total():,} requests{parts}"
        left = "no limit" if quota.left is None else f"{quota.left:,} left"
        yield f"plan: {self.quota_needed:,} of the month's quota ({left}); broadcasts and narrowcasts not counted"
        not_sent = ", ".join(f"{outcome} {count:,}" for outcome, count in sorted(self.not_sent.items()))
        yield f"plan: not sent: {not_sent or 'none'}"
        for example in self.examples:
            body = json.dumps(example["body"], ensure_ascii=False)
            yield f"plan: for example {example['message_id']} by {example['method']}: {body}"


class Rehearsal:
    """Plans of one channel's due messages."""

    def __init__(self, store: Store, ledger: Ledger, decider: Decider, policy: SendingPolicy) -> None:
        """Prepare.

        Args:
            store: Where the ledger is.
            ledger: The channel's messages.
            decider: Says what to do with each due message.
            policy: How messages are put into requests.
        """
        self._store = store
        self._ledger = ledger
        self._decider = decider
        self._policy = policy

    def plan(self) -> Plan:
        """Plan all that is due."""
        made, content_seen = Plan(), set()
        digest = hashlib.sha256()
        for requests, not_sent in self.pages():
            made.not_sent += not_sent
            for request in requests:
                made.messages[request.method] += len(request.members)
                made.requests[request.method] += 1
                made.quota_needed += request.recipients
                digest.update(json.dumps([request.method, request.body, request.members]).encode())
                content = request.body.partition('"messages":')[2]
                if len(made.examples) < _EXAMPLES and content not in content_seen:
                    content_seen.add(content)
                    made.examples.append(_example(request))
        made.plan_hash = digest.hexdigest()
        return made

    def pages(self) -> Iterator[tuple[list[PlannedRequest], Counter[str]]]:
        """The planned requests, page by page, and what is not sent, by status and reason."""
        rest: list[Decided] = []
        planned: Counter[str] = Counter()
        for page in self._decider.pages(self._ledger):
            messages = rest + page.messages
            with self._store.read() as connection:
                decisions = self._decider.cap(connection, [item.decision for item in messages], planned)
            acted_on = len(messages) if page.is_last else full_chunks(decisions)
            rest = messages[acted_on:]
            sends: list[tuple[str, Send]] = []
            not_sent: Counter[str] = Counter()
            for item, decision in zip(messages[:acted_on], decisions, strict=False):
                match decision:
                    case Send():
                        sends.append((item.due.message_id, decision))
                        if self._policy.frequency_cap and isinstance(decision.to, User):
                            planned[decision.to.line_id] += 1
                    case Skipped(reason=reason):
                        not_sent[f"skipped ({reason})"] += 1
                    case Postponed(reason=reason):
                        not_sent[f"scheduled ({reason})"] += 1
                    case Invalid(reason=reason):
                        not_sent[f"rejected ({reason})"] += 1
            yield plan(sends, self._policy), not_sent


def keep_plan(store: Store, channel: str, plan: Plan, quota: Quota) -> None:
    """Put a plan into the store, for whoever approves it."""
    with store.write() as connection:
        statement = insert_on_conflict(connection, plans).values(
            channel=channel, plan_hash=plan.plan_hash, made_at=datetime.now(UTC), summary=plan.summary(quota)
        )
        new = {"made_at": statement.excluded.made_at, "summary": statement.excluded.summary}
        connection.execute(statement.on_conflict_do_update(index_elements=["channel", "plan_hash"], set_=new))


def _example(request: PlannedRequest) -> dict[str, Any]:
    body = json.loads(request.body)
    if isinstance(body.get("to"), list):
        body["to"] = [body["to"][0], f"and {len(body['to']) - 1:,} more"]
    return {"message_id": request.members[0], "method": request.method, "body": body}
