"""The sinks: a batch of records becomes evidence or scheduled messages, durably; bad ones become rejects.

The SDK emits STATE only after every sink has drained, so a batch must be in the store when `process_batch` returns.
"""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.sinks import BatchSink

from target_line.identity.records import parse_follow, parse_profile
from target_line.intake.record_validation import RecordValidator
from target_line.intake.rejects import Reject, save_rejects
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError
from target_line.sending.ledger import MessageToStage
from target_line.sending.read.message import parse_message
from target_line.sending.read.recipients import Person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_core.identity.model import Claim, Follow, Identifier
    from target_line.target import TargetLine


class LineSink(BatchSink):
    """What all sinks do: check each record, and part what is usable from what is refused."""

    role: ClassVar[Role]
    target: TargetLine

    def __init__(
        self,
        target: TargetLine,
        stream_name: str,
        schema: dict[str, Any],
        key_properties: Sequence[str] | None,
    ) -> None:
        """Make the sink of one stream."""
        super().__init__(target, stream_name, schema, key_properties)
        self.target = target
        self._schema_check = RecordValidator(stream_name, self.schema) if self.validate_schema else None
        self._is_mapped = bool(self.config.get("stream_maps"))

    def get_validator(self) -> None:
        """None: the SDK's validation would end the run at the first bad record; ours, below, rejects it."""

    def _singer_validate_message(self, record: dict[str, Any]) -> None:
        """Nothing: a record without its key is for `parse` to refuse, not for the SDK to stop at."""

    def _parse_timestamps_in_record(self, record: dict[str, Any], schema: dict[str, Any], treatment: object) -> None:
        """Nothing: attributes stay as they came, and `parse` reads the few times that have a meaning here."""

    def activate_version(self, new_version: int) -> None:
        """Nothing: what is not sent again by the tap is neither forgotten nor unsent."""
        self.logger.debug("Version %d of a full table begins; nothing is deleted for it", new_version)

    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Read a record into the batch, or refuse it."""
        if self._is_mapped:
            record = json.loads(json.dumps(record, default=str))  # a map's expression can yield what JSON cannot hold
        try:
            if self._schema_check:
                self._schema_check.check(record)
            context.setdefault("usable", []).append(self.parse(record))
        except RejectedRecordError as error:
            kept = {} if error.reason is Reason.FORGOTTEN else record
            reject = Reject(self.stream_name, kept, error.reason, error.detail)
            context.setdefault("refused", []).append(reject)

    def process_batch(self, context: dict[str, Any]) -> None:
        """Make the batch durable."""
        refused: list[Reject] = context.get("refused", [])
        if refused:
            with self.target.store.write() as connection:
                save_rejects(connection, self.target.channel, refused)
        self.target.report.add_rejects(self.role, refused)
        self.save(context.get("usable", []))
        context.clear()
        if not gc.isenabled():
            gc.collect()

    def refuse_forgotten(self, *identifiers: Identifier) -> None:
        """Refuse a record that names somebody who asked to be forgotten.

        Raises:
            RejectedRecordError: It does.
        """
        forgotten = self.target.forgotten
        if forgotten and any(identifier in forgotten for identifier in identifiers):
            raise RejectedRecordError(Reason.FORGOTTEN, "it names a person who was forgotten on request")

    def parse(self, record: dict[str, Any]) -> Any:  # noqa: ANN401 - each role's own type
        """Read a record.

        Raises:
            RejectedRecordError: It is of no use.
        """
        raise NotImplementedError

    def save(self, batch: list[Any]) -> None:
        """Make what was read durable."""
        raise NotImplementedError


class IdentitySink(LineSink):
    """What all sinks of evidence do."""

    def save(self, batch: list[Claim | Follow]) -> None:
        """Take the evidence in."""
        changes = self.target.identity.ingest(batch) if batch else None
        self.target.report.add_evidence(self.role, len(batch), changes)


class ProfilesSink(IdentitySink):
    """Identifies people."""

    role = Role.PROFILES

    def parse(self, record: dict[str, Any]) -> Claim:
        """Read a `profiles` record."""
        claim = parse_profile(record, self.target.provider, self.target.junk_identifiers)
        self.refuse_forgotten(*claim.identifiers)
        return claim


class _FollowStateSink(IdentitySink):
    def parse(self, record: dict[str, Any]) -> Follow:
        """Read a record about who follows the channel."""
        follow = parse_follow(record, self.target.provider, self.role)
        self.refuse_forgotten(follow.line_id)
        return follow


class FollowsSink(_FollowStateSink):
    """Takes follow and unfollow events."""

    role = Role.FOLLOWS


class FollowersSink(_FollowStateSink):
    """Takes the LINE IDs that follow now."""

    role = Role.FOLLOWERS


class FriendshipsSink(_FollowStateSink):
    """Takes the current follow state of LINE IDs."""

    role = Role.FRIENDSHIPS


class MessagesSink(LineSink):
    """Schedules messages; they are sent when all input is in, so that each sees every identity record of the run."""

    role = Role.MESSAGES

    def parse(self, record: dict[str, Any]) -> MessageToStage:
        """Read a `messages` record."""
        policy = self.target.sending_policy
        message = parse_message(record, policy.provider, policy.time_zone)
        if isinstance(message.recipient, Person):
            self.refuse_forgotten(message.recipient.identifier)
        return MessageToStage(message, record)

    def save(self, batch: list[MessageToStage]) -> None:
        """Put the messages into the ledger."""
        if not batch:
            return
        with self.target.store.write(alone="ledger") as connection:
            new = self.target.ledger.stage(connection, batch)
        self.target.report.add_messages(received=len(batch), new=new)


SINKS: dict[Role, type[LineSink]] = {
    sink.role: sink for sink in (ProfilesSink, FollowsSink, FollowersSink, FriendshipsSink, MessagesSink)
}
