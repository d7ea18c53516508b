"""The pages of a plan: due messages with their requests, and messages that are due later."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from target_line.sending.decide.decisions import DecidedMessage, Invalid, Postponed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from line_core.store import Store
    from target_line.sending.claim.planner import PagePlan, PagePlanner
    from target_line.sending.decide.decider import DueMessages
    from target_line.sending.quota import SendAllowance


def plan_pages(
    store: Store, due: DueMessages, planner: PagePlanner, allowance: SendAllowance | None = None
) -> Iterator[PagePlan]:
    """Plan all due messages, page by page, without claiming them.

    Args:
        store: Contains the ledger.
        due: The due messages.
        planner: Groups messages into requests.
        allowance: Number of messages that the run could claim; None for no limit. As in a run, no page follows the one
            that reaches it.
    """
    carried_over: list[DecidedMessage] = []
    planned: Counter[str] = Counter()
    sends = 0
    for page in due.pages():
        with store.read() as connection:
            remaining = allowance.remaining(connection) if allowance else None
            limit = None if remaining is None else max(remaining - sends, 0)
            plan = planner.plan(connection, page.after(carried_over), max_messages=limit, planned=planned)
        sends += len(plan.sends)
        carried_over = plan.carried_over
        yield plan
        if plan.limit_reached:
            return


def with_rejects_of_postponed(pages: Iterable[PagePlan], due: DueMessages) -> Iterator[PagePlan]:
    """Yield pages in which postponed messages that will be rejected are rejected: quiet hours do not hide errors."""
    for page in pages:
        postponed = [item.due for item in page.messages if isinstance(item.decision, Postponed)]
        rejected = {
            item.due.message_id: item
            for item in (due.decide_when_due(postponed).messages if postponed else ())
            if isinstance(item.decision, Invalid)
        }
        yield replace(page, messages=[rejected.get(item.due.message_id, item) for item in page.messages])


def later_messages(due: DueMessages) -> Iterator[DecidedMessage]:
    """Yield the messages that are due later, decided as of that time."""
    for page in due.later_pages():
        yield from page.messages
