"""The sweep of sending, with cancellations and corrections between and during the runs.

A cancellation that `target-line-admin` reports as done removes the delivery from the expected ones, so a message that
is sent after it is unexpected. Corrected texts end with asterisks, so that the deliveries of all versions of a message
are counted together: a message is delivered once, in one of its versions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.message_status import MessageStatus
from line_core.store import open_store
from line_core.store.tables.ledger import messages
from tests.support import programs
from tests.support.sending_sweep import Delivery, Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_CHANGES = 6
"""Messages that are cancelled during a run, and messages that are corrected between two runs."""


@dataclass
class ChangingSweep(Sweep):
    """A sweep whose messages are cancelled and corrected."""

    max_requests_per_second: int = 20
    cancelled: set[str] = field(default_factory=set)
    """Messages whose cancellation was reported as done."""
    refused: int = 0
    """Cancellations that came too late."""

    def contradictions(self) -> Counter[Delivery]:
        """Return differences between the deliveries and the texts of the ledger's accepted messages."""
        query = select(messages.c.record).where(messages.c.status == MessageStatus.ACCEPTED)
        with open_store(self.store_url) as store, store.read() as connection:
            accepted = Counter((record["text"], record["line_id"]) for record in connection.execute(query).scalars())
        delivered = super()._deliveries()
        return (accepted - delivered) + (delivered - accepted - super()._unknown())

    def _before_kill(self) -> None:
        """Cancel messages while the run sends."""
        chosen = self.random.sample(sorted(self._records), _CHANGES)
        options = [option for message_id in chosen for option in ("--message-id", message_id)]
        done = programs.run("target-line-admin", "--store-url", self.store_url, "cancel", *options)
        refused = {line.partition(": the message is ")[0] for line in done.stderr.splitlines()}
        assert refused <= set(chosen), done.stderr
        assert done.returncode == int(bool(refused)), done.stderr
        self.refused += len(refused)
        for message_id in set(chosen) - refused:
            self.cancelled.add(message_id)
            text, line_id = self._records[message_id]["text"], self._records[message_id]["line_id"]
            self.expected.pop((_first_version(text), line_id), None)

    def _before_start(self) -> None:
        """Correct messages of the input."""
        for message_id in self.random.sample(sorted(self._records), _CHANGES):
            self._records[message_id]["text"] += "*"
        self._save_input()

    @property
    def _records(self) -> dict[str, dict[str, Any]]:
        return {line["record"]["message_id"]: line["record"] for line in self.input if "record" in line}

    def _deliveries(self) -> Counter[Delivery]:
        return _first_versions(super()._deliveries().elements())

    def _unknown(self) -> Counter[Delivery]:
        return _first_versions(super()._unknown().elements())


def _first_version(text: str) -> str:
    return text.rstrip("*")


def _first_versions(deliveries: Iterable[Delivery]) -> Counter[Delivery]:
    return Counter((_first_version(text), line_id) for text, line_id in deliveries)
