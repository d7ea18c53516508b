"""Load records with the real target, in one process, and read profiles and decisions about messages."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from target_line.admin import listings
from target_line.intake.stream_tally import AllRejectedError
from target_line.sending.account import MonthlyUnits
from target_line.sending.decide.decider import MessageDecider
from target_line.sending.decide.decisions import Invalid, LineUser, Send, Skipped
from target_line.sending.ledger import Cursor, DueMessage
from target_line.target import TargetLine
from tests.support.identity_model import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_line.run_context import RunContext
    from tests.support.identity_histories import Record
    from tests.support.identity_model_records import Known, Settings


def config_of(settings: Settings) -> dict[str, Any]:
    """Return the model's settings as settings of target-line."""
    config = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(settings).items()
        if name not in {"now", "junk_identifiers"}
    }
    return config | {"mode": "plan"}


@dataclass
class LoadedIdentities:
    """The store after runs of target-line."""

    context: RunContext
    counts: tuple[int, int]
    """Sums of the numbers of profiles that the runs report as created and as merged."""

    @classmethod
    def load(
        cls, store_url: str, runs: Iterable[Sequence[Record]], settings: Settings, **config: Any
    ) -> LoadedIdentities:
        """Load records, each sequence in a run of its own. Call `close` at the end."""
        context = None
        created = merged = 0
        for records in runs:
            if context:
                context.store.close()
            schemas: list[dict[str, Any]] = [
                {"type": "SCHEMA", "stream": stream, "schema": {"properties": {}}, "key_properties": []}
                for stream in ("profiles", "follows", "followers", "friendships")
            ]
            lines = [{"type": "RECORD", "stream": stream, "record": record} for stream, record in records]
            target = TargetLine(config={"store_url": store_url, **config_of(settings), **config})
            with suppress(AllRejectedError):  # of few records, all can be invalid
                target.listen(io.StringIO("".join(json.dumps(line) + "\n" for line in (*schemas, *lines))))
            context = target.run_context
            created += context.report.changes.profiles_created
            merged += context.report.changes.profiles_merged
        assert context
        return cls(context, (created, merged))

    def close(self) -> None:
        """Close the store."""
        self.context.store.close()

    def profiles(self) -> list[dict[str, Any]]:
        """Return the profiles as `target-line-admin identities --format jsonl` prints them."""
        rows = list(listings.identities(self.context.identity, "default"))
        printed: list[dict[str, Any]] = json.loads(json.dumps(rows))
        return printed

    def messages_to(self, recipients: Iterable[Known]) -> dict[Known, Message]:
        """Return the decisions about messages to identifiers, in the terms of the model."""
        due = [
            DueMessage(Cursor(message_id=value), {"message_id": value, kind: value, "text": "Hello"}, datetime.now(UTC))
            for kind, value in recipients
        ]
        decider = MessageDecider(self.context.identity, self.context.sending_policy, MonthlyUnits())
        decisions = [item.decision for item in decider.decide(due)]
        return {known: _message(decision) for known, decision in zip(recipients, decisions, strict=True)}


def _message(decision: object) -> Message:
    if isinstance(decision, Send):
        assert isinstance(decision.to, LineUser)
        return Message("send", decision.to.line_id)
    assert isinstance(decision, Skipped | Invalid)
    return Message("shared" if decision.reason.startswith("shared_") else decision.reason)
