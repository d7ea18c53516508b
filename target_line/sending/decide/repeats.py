"""Notice people who get the same content more than once in a run, and choose samples for test recipients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from target_line.reasons import Reason
from target_line.sending.decide.decisions import LineUser, Send, Skipped, address_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from target_line.sending.decide.decisions import DecidedMessage, Decision

_logger = logging.getLogger("target-line.sending")

_MAX_REMEMBERED = 200_000
"""Messages that are compared; more would need too much memory."""


class RepeatWatch:
    """Counts messages whose content another message of the run takes to the same person."""

    def __init__(self) -> None:
        self._message_of: dict[int, int] = {}
        self._repeated: set[int] = set()
        self._example = ""

    def add(self, sends: Mapping[str, Send]) -> None:
        """Add messages, by their message ids. A message can be added again."""
        for message_id, send in sends.items():
            if not isinstance(send.to, LineUser):
                continue
            message = hash(message_id)
            if self._message_of.setdefault(hash((send.content, send.to.line_id)), message) != message:
                self._repeated.add(message)
                self._example = self._example or message_id
        if len(self._message_of) > _MAX_REMEMBERED:
            self._message_of.clear()

    def log_warning(self) -> None:
        """Log the number of these messages, if there are any."""
        if self._repeated:
            _logger.warning(
                "At least %s messages, for example %s, have the same content for the same person as another message of "
                "this run. To send one message of a campaign to a person, set once_per_campaign",
                f"{len(self._repeated):,}",
                self._example,
            )


class SampleChoice:
    """Chooses the first messages of each source template as samples for test recipients."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._chosen: dict[str, set[str]] = {}

    def apply(self, messages: Iterable[DecidedMessage], decisions: Iterable[Decision]) -> list[Decision]:
        """Return the decisions with messages that are no samples skipped. A chosen message stays a sample."""
        return [self._choose(item.due.message_id, decision) for item, decision in zip(messages, decisions, strict=True)]

    def _choose(self, message_id: str, decision: Decision) -> Decision:
        if not isinstance(decision, Send):
            return decision
        chosen = self._chosen.setdefault(decision.source_key, set())
        if len(chosen) < self._samples:
            chosen.add(message_id)
        if message_id in chosen:
            return decision
        return Skipped(Reason.TEST_RECIPIENTS, address_of(decision.to))
