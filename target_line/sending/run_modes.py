"""What a run does with the messages that are due, by its mode: send them, plan them, or have LINE validate them."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, Any

from line_core.api.client import LineClient
from line_core.api.errors import QuotaUsedUpError
from line_core.api.rate_limit.shared import SharedRateLimiter
from line_core.api.tokens import token_source_from_config
from target_line.sending.account import check_account, read_quota, read_units
from target_line.sending.claim.claims import RequestClaims
from target_line.sending.claim.quota import Allowance, refused_for_quota
from target_line.sending.decide.decider import Decider
from target_line.sending.dry_run.plan_report import PlanChangedError, Rehearsal, keep_plan
from target_line.sending.dry_run.validation import ask_line
from target_line.sending.send.sender import Sender
from target_line.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from line_core.errors import LineError
    from line_core.store import Store
    from target_line.identity.repository import IdentityRepository
    from target_line.run_report import RunReport
    from target_line.sending.ledger import Ledger
    from target_line.sending.policy import SendingPolicy

_logger = logging.getLogger("target-line.sending")


class SendingRun:
    """One run's dealing with LINE."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that a run is made of, put together in one place
        self,
        config: Mapping[str, Any],
        store: Store,
        identity: IdentityRepository,
        ledger: Ledger,
        policy: SendingPolicy,
        report: RunReport,
        run_id: str,
    ) -> None:
        """Prepare.

        Args:
            config: The target's settings.
            store: The open store.
            identity: Who is who.
            ledger: The channel's messages.
            policy: What holds for all messages.
            report: Told what became of the messages.
            run_id: Names the run.
        """
        self._config = config
        self._channel: str = config["channel"]
        self._store = store
        self._identity = identity
        self._ledger = ledger
        self._policy = policy
        self._report = report
        self._claims = RequestClaims(store, self._channel, run_id, ledger, policy)
        self._rate_limiter = SharedRateLimiter(store, self._channel, config.get("max_requests_per_second"))

    async def run(self, interrupted_by: Callable[[int], LineError]) -> None:
        """Do what the mode says.

        Args:
            interrupted_by: Makes the error that a signal is.

        Raises:
            LineError: Something speaks against going on; what was not sent stays in the ledger.
        """
        with self._rate_limiter:
            async with LineClient(
                self._config["api_url"],
                token_source_from_config(self._config),
                self._rate_limiter,
                timeout_seconds=self._config["request_timeout_seconds"],
                trust_env=self._config["use_proxy_from_environment"],
            ) as client:
                await check_account(client, self._config.get("expected_bot_user_id"))
                match Mode(self._config["mode"]):
                    case Mode.PLAN:
                        await self._plan(client)
                    case Mode.VALIDATE:
                        await self._validate(client)
                    case Mode.SEND:
                        await self._send(client, interrupted_by)

    async def _plan(self, client: LineClient) -> None:
        """Tell what would be sent, and keep it."""
        quota = await read_quota(client)
        plan = (await self._rehearsal(client)).plan()
        keep_plan(self._store, self._channel, plan, quota)
        for line in plan.lines(quota):
            _logger.info(line)
        _logger.info("nothing was sent; to send exactly this, run with mode send and approve %s", plan.plan_hash)

    async def _validate(self, client: LineClient) -> None:
        """Have LINE look at all content that is due; what it refuses is rejected, the rest stays scheduled."""
        valid = refused = 0
        for requests, _ in (await self._rehearsal(client)).pages():
            refusals = await ask_line(client, requests)
            for refusal in refusals:
                self._claims.refuse(refusal.message_ids, refusal.words)
            here = sum(len(refusal.message_ids) for refusal in refusals)
            refused += here
            valid += sum(len(request.members) for request in requests) - here
            _logger.info("LINE would take %s messages and refuse %s", f"{valid:,}", f"{refused:,}")

    async def _send(self, client: LineClient, interrupted_by: Callable[[int], LineError]) -> None:
        if approved := self._config.get("approve"):
            plan_hash = (await self._rehearsal(client)).plan().plan_hash
            if plan_hash != approved:
                raise PlanChangedError(
                    f"what would be sent now is plan {plan_hash}; nothing was sent: look at it with mode plan",
                    setting="approve",
                )
        quota = await read_quota(client)
        if quota.limit is not None:
            _logger.info("of the month's quota of %s, %s are left", f"{quota.limit:,}", f"{quota.left:,}")
        allowance = Allowance(
            self._channel,
            quota,
            reserve=self._config["quota_reserve"],
            max_sends=self._config.get("max_sends_per_run"),
        )
        decider = await self._decider(client)
        sender = Sender(self._ledger, self._claims, client, self._rate_limiter, decider, allowance, self._report)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, sender.stop, interrupted_by(number))
        try:
            await sender.run()
        except QuotaUsedUpError:
            raise refused_for_quota(await read_quota(client), self._ledger.count_due()) from None

    async def _rehearsal(self, client: LineClient) -> Rehearsal:
        return Rehearsal(self._store, self._ledger, await self._decider(client), self._policy)

    async def _decider(self, client: LineClient) -> Decider:
        if self._policy.frequency_cap:
            self._ledger.index_line_ids()
        units = await read_units(client, self._ledger.due_campaigns())
        return Decider(self._identity, self._policy, self._channel, units)
