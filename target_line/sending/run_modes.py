"""Handle the due messages of a run by its mode: send, plan, or validate."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from line_core.api.client import LineClient
from line_core.api.credentials import token_source_from_config
from line_core.api.errors import QuotaUsedUpError
from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.message_status import MessageStatus
from line_core.store.clock import database_now
from target_line.reasons import Reason
from target_line.sending.account import check_account, read_quota, read_units
from target_line.sending.claim.claims import RequestClaims
from target_line.sending.claim.planner import PagePlanner
from target_line.sending.decide.approved import ApprovedSends
from target_line.sending.decide.decider import DueMessages, MessageDecider
from target_line.sending.drafts import DraftLedger
from target_line.sending.dry_run.pages import later_messages, plan_pages, with_rejects_of_postponed
from target_line.sending.dry_run.plan import PlanChangedError, save_plan, summarize
from target_line.sending.dry_run.validation import ValidationCounts, invalid_messages, refused_messages
from target_line.sending.narrowcast_progress import check_narrowcasts
from target_line.sending.quota import SendAllowance, quota_refusal_error
from target_line.sending.send.lane import WORKERS
from target_line.sending.send.progress import waits_logged
from target_line.sending.send.request_sender import RequestSender
from target_line.sending.send.sender import Sender, SenderLimits
from target_line.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from line_core.errors import LineError
    from target_line.identity.repository import IdentityRepository
    from target_line.run_report import RunReport
    from target_line.sending.claim.planner import PagePlan
    from target_line.sending.ledger import Ledger
    from target_line.sending.policy import SendingPolicy
    from target_line.sending.quota import QuotaStatus

_logger = logging.getLogger("target-line.sending")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SendingRun:
    """Sends, plans or validates the due messages of one run."""

    def __init__(
        self,
        config: Mapping[str, Any],
        ledger: Ledger,
        identity: IdentityRepository,
        policy: SendingPolicy,
        report: RunReport,
    ) -> None:
        """Store the dependencies; call `run` to start.

        Args:
            config: The target's settings.
            ledger: The channel's messages.
            identity: Profiles by identifier.
            policy: The parsed sending settings.
            report: Counts the outcomes.
        """
        self._config = config
        self._ledger = ledger
        self._identity = identity
        self._policy = policy
        self._report = report
        self._planner = PagePlanner(ledger.channel, policy)
        self._claims = RequestClaims(ledger, self._planner)
        self._rate_limiter = SharedRateLimiter.from_config(config, ledger.store, ledger.channel)

    async def run(self, interrupted_by: Callable[[int], LineError]) -> None:
        """Handle the due messages by the setting `mode`.

        Args:
            interrupted_by: Returns the error for a signal number.

        Raises:
            LineError: The run was stopped. Messages without an outcome stay scheduled or claimed.
        """
        with self._rate_limiter:
            tokens = token_source_from_config(self._config)
            connections = sum(WORKERS.values())
            async with LineClient.from_config(
                self._config, tokens, self._rate_limiter, connections=connections
            ) as client:
                async with waits_logged(client.activity):
                    bot_user_id = self._config.get("expected_bot_user_id")
                    self._claims.retry_keys.account = await check_account(client, bot_user_id)
                    due = await self._due_messages(client)
                try:
                    match Mode(self._config["mode"]):
                        case Mode.PLAN:
                            await self._plan(client, due)
                        case Mode.VALIDATE:
                            await self._validate(client, due)
                        case Mode.SEND:
                            await self._send(client, due, interrupted_by)
                finally:
                    due.log_warnings()
                    self._planner.log_warnings()

    async def _check_narrowcasts(self, client: LineClient) -> None:
        if failed := await check_narrowcasts(client, self._ledger):
            self._report.add_unsent({(MessageStatus.REJECTED, Reason.NARROWCAST_FAILED): failed})

    async def _plan(self, client: LineClient, due: DueMessages) -> None:
        """Log the plan, and save it for `target-line-admin plans`."""
        quota = await self._read_quota(client)
        pages = self._plan_pages(due, self._allowance(quota))
        plan = summarize(with_rejects_of_postponed(pages, due), due=due.count(), later=later_messages(due))
        save_plan(self._ledger.store, self._ledger.channel, plan, quota)
        for line in plan.lines(quota):
            _logger.info(line)
        if self._policy.test_recipients:
            text = "plan: these are samples for test_recipients, at most %s of each template; nobody else gets any"
            _logger.info(text, self._policy.test_samples)
        _logger.info("nothing was sent; to send exactly this, run with mode send and approve %s", plan.plan_hash)

    async def _validate(self, client: LineClient, due: DueMessages) -> None:
        """Validate the contents of all messages at LINE, also of those that are due later. Rejects are saved."""
        result = ValidationCounts()
        pages = with_rejects_of_postponed(self._plan_pages(due), due)
        later = (self._planner.plan_later(page.messages) for page in due.later_pages())
        for page in chain(pages, later):
            rejections = [*invalid_messages(page.messages), *await refused_messages(client, page)]
            if isinstance(self._ledger, DraftLedger):
                self._ledger.reject(rejections)
            result.add(page, rejections)
            if page.messages:
                _logger.info(result.line())
        for line in result.examples():
            _logger.info(line)

    async def _send(self, client: LineClient, due: DueMessages, interrupted_by: Callable[[int], LineError]) -> None:
        async with waits_logged(client.activity):
            await self._check_narrowcasts(client)
            quota = await self._read_quota(client)
        allowance = self._allowance(quota)
        approved = self._config.get("approve")
        if approved:
            due = self._only_approved(due, approved, allowance)
        if quota.limit is not None:
            _logger.info("%s of the monthly quota of %s are left", f"{quota.left:,}", f"{quota.limit:,}")
        limits = SenderLimits(
            max_per_second=self._config.get("max_requests_per_second"),
            # What an earlier run may have sent is neither in the plan nor for test recipients.
            finishes_earlier_runs=not approved and not self._policy.test_recipients,
        )
        requests = RequestSender(client, self._rate_limiter)
        sender = Sender(due, self._claims, requests, allowance, self._report, limits=limits)
        with _signals(sender, interrupted_by):
            try:
                await sender.run()
            except QuotaUsedUpError:
                still_due = self._ledger.count_due()
                quota = await read_quota(client)
                raise quota_refusal_error(quota, still_due, sender.refused_for_quota) from None

    async def _read_quota(self, client: LineClient) -> QuotaStatus:
        with self._ledger.store.read() as connection:
            read_at = database_now(connection)
        return await read_quota(client, read_at)

    def _allowance(self, quota: QuotaStatus) -> SendAllowance:
        return SendAllowance(
            self._ledger.channel,
            quota,
            reserve=self._config["quota_reserve"],
            max_sends=self._config.get("max_sends_per_run"),
        )

    def _only_approved(self, due: DueMessages, approved: str, allowance: SendAllowance) -> DueMessages:
        """Return the due messages of the approved plan. What is staged or changes from now on is not part of it.

        Raises:
            PlanChangedError: The plan of the run is another one.
        """
        sends = ApprovedSends()
        pages = _recorded(self._plan_pages(due, allowance), sends)
        plan_hash = summarize(pages, later=later_messages(due)).plan_hash
        if plan_hash != approved:
            raise PlanChangedError(
                f"the run would send plan {plan_hash}; nothing was sent: review it with mode plan", setting="approve"
            )
        return due.only(sends)

    def _plan_pages(self, due: DueMessages, allowance: SendAllowance | None = None) -> Iterator[PagePlan]:
        """Plan what is due, including what a stopped run had claimed and certainly not sent."""
        self._claims.release_never_attempted()
        return plan_pages(self._ledger.store, due, self._planner, allowance)

    async def _due_messages(self, client: LineClient) -> DueMessages:
        if self._policy.frequency_cap or self._policy.once_per_campaign:
            self._ledger.create_line_id_index()
        units = await read_units(client, self._ledger.due_campaigns())
        return DueMessages(self._ledger, MessageDecider(self._identity, self._policy, units))


def _recorded(pages: Iterable[PagePlan], sends: ApprovedSends) -> Iterator[PagePlan]:
    """Add the sends of the pages to the approved ones."""
    for page in pages:
        for message_id, send in page.sends.items():
            sends.add(message_id, send)
        yield page


@contextmanager
def _signals(sender: Sender, interrupted_by: Callable[[int], LineError]) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM stop the sender, and a second one end the process at once."""
    received: list[int] = []

    def handle(number: int) -> None:
        received.append(number)
        if len(received) == 1:
            sender.stop(interrupted_by(number))
            return
        _logger.error("ended at once by a second signal; the next run finishes the requests on the wire")
        logging.shutdown()
        os._exit(1)  # an exception would wait for database work in other threads

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
