"""Turn a page of decided messages into requests. Claims and dry runs both use it, so that their plans agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_line.sending.claim.plan import length_with_full_multicasts, plan_requests
from target_line.sending.claim.request_body import RequestBody
from target_line.sending.decide.decisions import DecidedMessage, LineUser, Send, address_of
from target_line.sending.decide.frequency_cap import apply_frequency_cap
from target_line.sending.decide.once_per_campaign import apply_once_per_campaign, campaign_keys
from target_line.sending.decide.repeats import RepeatWatch, SampleChoice

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from target_line.sending.claim.outcomes import ClaimedRequest
    from target_line.sending.claim.plan import PlannedRequest
    from target_line.sending.decide.decider import DuePage
    from target_line.sending.decide.decisions import Decision
    from target_line.sending.policy import SendingPolicy


@dataclass(frozen=True, slots=True)
class PagePlan:
    """Plan of one page of due messages."""

    messages: list[DecidedMessage]
    """Messages of the page with their final decisions, without the ones carried over."""
    sends: dict[str, Send]
    """Messages to send now, by message id."""
    requests: list[PlannedRequest]
    """Requests that carry `sends`."""
    carried_over: list[DecidedMessage]
    """Messages that are planned with the next page, so that multicasts are full."""
    limit_reached: bool
    """Whether messages that could be sent stay scheduled because of `max_messages`."""


class PagePlanner:
    """Plans pages of due messages of one channel."""

    def __init__(self, channel: str, policy: SendingPolicy) -> None:
        self.channel = channel
        self.policy = policy
        self._repeats = RepeatWatch()
        self._samples = SampleChoice(policy.test_samples)

    def plan(
        self,
        connection: Connection,
        page: DuePage,
        *,
        max_messages: int | None = None,
        planned: Counter[str] | None = None,
    ) -> PagePlan:
        """Apply the limits per person, carry over incomplete multicasts, and group the other messages into requests.

        Args:
            connection: A transaction that sees all earlier claims.
            page: Messages that the previous page carried over, then the page's own messages.
            max_messages: Maximum number of messages to send; None for no limit.
            planned: Messages by LINE ID, and by campaign and LINE ID, that were planned on earlier pages and not
                claimed. Updated. For dry runs.
        """
        decisions: Sequence[Decision] = [item.decision for item in page.messages]
        if self.policy.once_per_campaign:
            decisions = apply_once_per_campaign(connection, self.channel, decisions, planned or ())
        decisions = apply_frequency_cap(connection, self.channel, self.policy.frequency_cap, decisions, planned)
        if self.policy.test_recipients:
            decisions = self._samples.apply(page.messages, decisions)
        length = len(decisions) if page.is_last else length_with_full_multicasts(decisions)
        messages = [
            item if decision is item.decision else DecidedMessage(item.due, decision)
            for item, decision in zip(page.messages[:length], decisions[:length], strict=True)
        ]
        sends = {item.due.message_id: item.decision for item in messages if isinstance(item.decision, Send)}
        limit_reached = max_messages is not None and len(sends) > max_messages
        if limit_reached:
            sends = dict(list(sends.items())[:max_messages])
        if planned is not None:
            planned.update(send.to.line_id for send in sends.values() if isinstance(send.to, LineUser))
            for send in sends.values() if self.policy.once_per_campaign else ():
                planned.update(campaign_keys(send))
        self._repeats.add(sends)
        requests = plan_requests(sends.items(), self.policy)
        return PagePlan(messages, sends, requests, page.messages[length:], limit_reached)

    def log_warnings(self) -> None:
        """Log what was noticed while the messages were planned."""
        self._repeats.log_warning()

    def plan_later(self, messages: list[DecidedMessage]) -> PagePlan:
        """Group messages that are due later into requests, without limits, to validate their contents."""
        sends = {item.due.message_id: item.decision for item in messages if isinstance(item.decision, Send)}
        return PagePlan(messages, sends, plan_requests(sends.items(), self.policy), [], limit_reached=False)

    def sends_by(self, messages: Sequence[DecidedMessage], request: ClaimedRequest) -> bool:
        """Return whether messages with these decisions, and only these, go to the recipients of a request.

        The content is not compared: a template can use the time, and the content of a claim stays as it was.
        """
        sends = [item.decision for item in messages if isinstance(item.decision, Send)]
        if not len(sends) == len(messages) == request.messages:
            return False
        body = RequestBody.decode(request.body)
        if self.policy.test_recipients:
            return True
        to = {body.to} if isinstance(body.to, str) else set(body.to or ())
        return {address for send in sends if (address := address_of(send.to))} == to
