"""The store: what target-line sent, merged and refused."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from sqlalchemy import case, func, select

from line_core.identity.codec import decode_evidence
from line_core.identity.model import MergeRule
from line_core.identity.rules import resolve
from line_core.store.saved_policy import load_policy
from line_core.store.tables.identity import clusters, merges
from line_core.store.tables.ledger import messages, requests
from line_core.store.tables.rejects import rejects
from tap_line.base.described_stream import DescribedStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context
    from sqlalchemy import ColumnElement, Select

    from line_core.identity.model import Profile
    from line_core.identity.policy import MergePolicy

_PAGE_SIZE = 1000
# Rows become visible when their transaction ends, which may be a while after the time they were stamped with.
_OVERLAP = timedelta(minutes=10)

# A profile that goes by these is no longer there; an identifier that only moves leaves its profile behind.
_GONE_BY = {MergeRule.ANONYMOUS_IDENTIFIED, MergeRule.EMAIL_IDENTIFIED}

_CHANNEL = th.Property("channel", th.StringType, required=True, description="Name of the channel in target-line")


class StoreStream(DescribedStream):
    """Rows of the store in the order in which they last changed, from the last time on, a little overlapping."""

    replication_key = "updated_at"
    is_sorted = True
    check_sorted = False

    @abstractmethod
    def query(self) -> Select[Any]:
        """The columns of a record but for `updated_at`, without order."""

    @property
    @abstractmethod
    def changed_at(self) -> ColumnElement[datetime]:
        """When a row changed last."""

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """The rows that changed since the state's time."""
        query = self.query()
        if (channel := self.config.get("channel")) and "channel" in query.selected_columns:
            query = query.where(query.selected_columns.channel == channel)
        mark = self.stream_state.get("replication_key_value") if self.replication_method == "INCREMENTAL" else None
        if mark:
            query = query.where(self.changed_at >= datetime.fromisoformat(mark) - _OVERLAP)
        query = query.add_columns(self.changed_at.label("updated_at"))
        with self.tap.store.read() as connection:
            rows = connection.execution_options(yield_per=_PAGE_SIZE).execute(query.order_by(self.changed_at))
            for row in rows.mappings():
                yield from self.records_of({name: _plain(value) for name, value in row.items()})

    def records_of(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """The records that a row is."""
        yield row


class Deliveries(StoreStream):
    """The ledger: each message record that target-line took in, and what became of it."""

    name = "deliveries"
    primary_keys: ClassVar[tuple[str, ...]] = ("channel", "message_id")
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        _CHANNEL,
        th.Property(
            "message_id", th.StringType, required=True, description="The idempotency key of the message record"
        ),
        th.Property("line_id", th.StringType, description="LINE ID that it went to"),
        th.Property(
            "status",
            th.StringType,
            description="scheduled, claimed, accepted (by LINE; whether it was read, nobody is told), rejected, "
            "skipped or unknown",
        ),
        th.Property("reason", th.StringType, description="Reason code of a message rejected or skipped"),
        th.Property("detail", th.StringType, description="The reason in words, LINE's own where it gave any"),
        th.Property("method", th.StringType, description="push, multicast, narrowcast or broadcast"),
        th.Property("retry_key", th.StringType, description="X-Line-Retry-Key of the request"),
        th.Property("request_id", th.StringType, description="LINE's id of the accepted request"),
        th.Property("attempts", th.IntegerType, description="How often the request was sent"),
        th.Property("error", th.StringType, description="LINE's last words about the request, or the transport's"),
        th.Property("campaign", th.StringType, description="Custom aggregation unit"),
        th.Property("send_at", th.DateTimeType, description="Not to be sent before"),
        th.Property("expires_at", th.DateTimeType, description="Not to be sent after"),
        th.Property("staged_at", th.DateTimeType, description="When the ledger took it in"),
        th.Property("finished_at", th.DateTimeType, description="When LINE accepted or refused the request"),
        th.Property("updated_at", th.DateTimeType, description="When the row changed last"),
    ).to_dict()

    def query(self) -> Select[Any]:
        """Messages with their requests."""
        message, request = messages.c, requests.c
        return select(
            *(message.channel, message.message_id, message.line_id, message.status, message.reason, message.detail),
            *(request.method, message.retry_key, request.request_id, request.attempts, request.error),
            *(message.campaign, message.send_at, message.expires_at, message.staged_at, request.finished_at),
        ).select_from(messages.outerjoin(requests, message.retry_key == request.retry_key))

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        """The ledger stamps its rows."""
        return messages.c.updated_at


class Identities(StoreStream):
    """People: each profile as target-line's rules have it, and, with `merged_into`, those that went into another."""

    name = "identities"
    primary_keys: ClassVar[tuple[str, ...]] = ("profile",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "profile", th.StringType, required=True, description="Strongest identifier: id:…, email:… or line_id:…"
        ),
        th.Property("merged_into", th.StringType, description="The profile that it went into; the rest is empty then"),
        th.Property("id", th.StringType, description="The customer's own key"),
        th.Property("email", th.StringType, description="The email that was claimed last"),
        th.Property("line_id", th.StringType, description="LINE ID to write to, if they are all of one provider"),
        th.Property(
            "line_ids",
            th.ArrayType(
                th.ObjectType(
                    th.Property("line_id", th.StringType, description="LINE ID"),
                    th.Property("provider", th.StringType, description="The provider that issued it"),
                    th.Property("follow_state", th.StringType, description="following, unfollowed or unknown"),
                    th.Property("is_canonical", th.BooleanType, description="Whether messages go to it"),
                )
            ),
            description="All LINE IDs of the person",
        ),
        th.Property("former_emails", th.ArrayType(th.StringType), description="The person's other emails"),
        th.Property("attributes", th.ObjectType(additional_properties=True), description="What is said of the person"),
        th.Property("updated_at", th.DateTimeType, description="When something was last said of the person"),
    ).to_dict()

    @cached_property
    def _policy(self) -> MergePolicy:
        return load_policy(self.tap.store)

    def query(self) -> Select[Any]:
        """The evidence of people whose identifiers hang together."""
        return select(clusters.c.evidence)

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        """When evidence came."""
        return clusters.c.updated_at

    def records_of(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """The people whom the evidence is about."""
        resolution = resolve(decode_evidence(row["evidence"]), self._policy)
        gone = {str(join.absorbed): str(join.survivor) for join in resolution.merges if join.rule in _GONE_BY}
        for absorbed, survivor in sorted(gone.items()):
            yield {"profile": absorbed, "merged_into": survivor, "updated_at": row["updated_at"]}
        for profile in resolution.profiles:
            yield _identity(profile) | {"updated_at": row["updated_at"]}


class Merges(StoreStream):
    """Every merge of profiles and move of an identifier, with its rule and what was before."""

    name = "merges"
    primary_keys: ClassVar[tuple[str, ...]] = ("merge_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("merge_id", th.IntegerType, required=True, description="Number of the merge, for unmerge"),
        th.Property("merged_at", th.DateTimeType, description="When a run of target-line saw it"),
        th.Property("rule", th.StringType, description="The rule that joined them"),
        th.Property("survivor", th.StringType, description="Strongest identifier of the surviving profile"),
        th.Property("absorbed", th.StringType, description="Strongest identifier of the profile that went into it"),
        th.Property("identifier", th.StringType, description="The identifier that joined or moved"),
        th.Property("evidence_at", th.DateTimeType, description="Time of the record that joined them"),
        th.Property(
            "before",
            th.ArrayType(th.ObjectType(additional_properties=True)),
            description="The profiles that the store had, as they were",
        ),
        th.Property("undone_at", th.DateTimeType, description="When it was undone"),
        th.Property("updated_at", th.DateTimeType, description="When the row changed last"),
    ).to_dict()

    def query(self) -> Select[Any]:
        """All of the audit."""
        return select(merges)

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        """Undoing comes after merging."""
        return func.coalesce(merges.c.undone_at, merges.c.merged_at, type_=merges.c.merged_at.type)


class Rejects(StoreStream):
    """Records that target-line refused, whole, with the reason."""

    name = "rejects"
    primary_keys: ClassVar[tuple[str, ...]] = ("reject_id",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("reject_id", th.IntegerType, required=True, description="Number of the reject"),
        _CHANNEL,
        th.Property("stream", th.StringType, description="Stream that carried the record"),
        th.Property("digest", th.StringType, description="SHA-256 of the record"),
        th.Property("reason", th.StringType, description="Reason code"),
        th.Property("detail", th.StringType, description="What is wrong, in words"),
        th.Property("record", th.ObjectType(additional_properties=True), description="The record as it came"),
        th.Property("times_seen", th.IntegerType, description="How often it came"),
        th.Property("first_seen_at", th.DateTimeType, description="When it came first"),
        th.Property("last_seen_at", th.DateTimeType, description="When it came last"),
        th.Property("replayed_at", th.DateTimeType, description="When it was accepted after a fix"),
        th.Property("updated_at", th.DateTimeType, description="When the row changed last"),
    ).to_dict()

    def query(self) -> Select[Any]:
        """All of the rejects."""
        return select(rejects)

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        """Seen again, or replayed."""
        seen, replayed = rejects.c.last_seen_at, rejects.c.replayed_at
        return case((replayed > seen, replayed), else_=seen)


def _identity(profile: Profile) -> dict[str, Any]:
    canonical = set(profile.canonical.values())
    return {
        "profile": str(profile.key),
        "merged_into": None,
        "id": profile.id,
        "email": profile.email,
        "line_id": next(iter(canonical)).line_id if len(canonical) == 1 else None,
        "line_ids": [
            {
                "line_id": account.line_id,
                "provider": account.provider,
                "follow_state": account.follow_state.value,
                "is_canonical": account in canonical,
            }
            for account in profile.line_accounts
        ],
        "former_emails": list(profile.former_emails),
        "attributes": profile.attributes,
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
