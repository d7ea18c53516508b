"""The open store and the objects that the parts of one run share."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from line_core.draft_channel import DRAFT_PREFIX, draft_channel
from line_core.errors import SettingError
from line_core.store import open_store
from line_core.store.saved_policy import has_lower_bounds, load_policy, save_policy
from target_line.identity.erased import ErasedIdentifiers
from target_line.identity.repository import IdentityRepository
from target_line.intake.column_watch import ColumnWatch
from target_line.intake.reject_limit import RejectLimit
from target_line.record_parser import RecordParser
from target_line.run_history import Run
from target_line.run_report import RunReport
from target_line.sending.drafts import DraftLedger
from target_line.sending.ledger import Ledger
from target_line.sending.policy import sending_policy_from_config
from target_line.sending.read.cancellation import DELETION_COLUMNS
from target_line.sending.read.message import MESSAGE_COLUMNS
from target_line.sending.staging import Staging
from target_line.settings import Mode, policy_of, store_url_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from line_core.identity.policy import MergePolicy
    from line_core.store import Store
from target_line.sending.policy import SendingPolicy

_logger = logging.getLogger("target-line")


@dataclass(frozen=True, slots=True)
class RunContext:
    """The objects of one run on one store. Closing the store is the task of the caller of `open`."""

    channel: str
    run: Run
    store: Store
    merge_policy: MergePolicy
    parser: RecordParser
    identity: IdentityRepository
    ledger: Ledger
    staging: Staging
    sending_policy: SendingPolicy
    erased: ErasedIdentifiers
    report: RunReport
    column_watch: ColumnWatch
    has_saved_policy: bool = False
    """Whether `merge_policy` is that of the store's last run."""

    @classmethod
    def open(cls, config: Mapping[str, Any], *, with_saved_policy: bool = False, create: bool = True) -> Self:
        """Read the settings and open the store.

        Args:
            config: All settings, with their defaults.
            with_saved_policy: Whether the merge rules have the settings of the store's last run, not those of `config`.
            create: Whether a store is created if there is none.

        Raises:
            SettingError: A setting is invalid.
            StoreError: The store cannot be opened.
        """
        channel: str = config["channel"]
        if channel.startswith(DRAFT_PREFIX):
            raise SettingError(f"a name cannot begin with {DRAFT_PREFIX}", setting="channel")
        merge_policy = policy_of(config)  # checked before the store is opened
        sending_policy = sending_policy_from_config(config)
        report = RunReport(RejectLimit.parse(config.get("max_rejects")))
        store = open_store(store_url_of(config), create=create)
        if with_saved_policy:
            merge_policy = load_policy(store)
        run = Run(channel, config["mode"])
        is_dry_run = config["mode"] != Mode.SEND
        erased = ErasedIdentifiers(store)
        return cls(
            channel=channel,
            run=run,
            store=store,
            merge_policy=merge_policy,
            parser=RecordParser.from_config(config, merge_policy, sending_policy.time_zone, erased),
            identity=IdentityRepository(store, merge_policy, channel, erased),
            ledger=(DraftLedger if is_dry_run else Ledger)(store, channel, run.run_id),
            staging=Staging(
                draft_channel(run.run_id) if is_dry_run else channel,
                run.run_id,
                replaces=config["replace_scheduled"],
                drafts_of=channel if is_dry_run else None,
            ),
            sending_policy=sending_policy,
            erased=erased,
            report=report,
            column_watch=ColumnWatch(
                MESSAGE_COLUMNS.union(DELETION_COLUMNS),
                opt_outs=merge_policy.opt_outs,
                time_zone=sending_policy.time_zone_attribute if sending_policy.quiet_hours else None,
                channel=channel,
            ),
            has_saved_policy=with_saved_policy,
        )

    def save_merge_policy(self) -> None:
        """Save the settings of the merge rules in the store, for the tap and for `target-line-admin`.

        Lowered bounds for shared identifiers are applied to the stored evidence before.
        """
        if self.has_saved_policy:
            return
        if has_lower_bounds(self.store, self.merge_policy):
            self.report.changes.add(self.identity.apply_bounds())
        if save_policy(self.store, self.merge_policy):
            _logger.warning("The settings of the merge rules changed: identities are resolved by the new settings")
