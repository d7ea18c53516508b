"""Queries of the store whose results `target-line-admin` lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from line_core.identity.model import IdentifierKind
from line_core.message_recipient import recipient_of
from line_core.store.tables import identity, inbox, ledger
from line_core.store.tables.rejects import rejects
from line_core.store.tables.runs import runs as run_rows
from target_line.admin.output import as_json
from target_line.identity.cluster_queries import shared_identifiers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Profile
    from line_core.store import Store
    from target_line.admin.output import Row
    from target_line.identity.repository import IdentityRepository

BOUND_SETTINGS = {
    IdentifierKind.ID: "max_identifiers_per_id",
    IdentifierKind.EMAIL: "max_people_per_email",
    IdentifierKind.LINE_ID: "max_people_per_line_id",
}
"""Setting that says with how many others an identifier of a kind can be claimed."""


def providers_in(store: Store) -> list[str]:
    """Return the providers of the LINE IDs in the store, in alphabetical order."""
    table = identity.identifiers.c
    with store.read() as connection:
        return sorted(connection.scalars(select(table.provider).where(table.kind == IdentifierKind.LINE_ID).distinct()))


def identities(repository: IdentityRepository, provider: str, *, all_providers: bool = False) -> Iterator[Row]:
    """Return one row per profile. Equal identities give equal rows in the same order.

    Args:
        repository: The identity store.
        provider: Provider of `line_id`.
        all_providers: Whether `line_ids` has the LINE IDs of all providers, each with its provider.
    """
    rows = (profile_row(profile, provider, all_providers=all_providers) for profile in repository.profiles())
    yield from sorted(rows, key=as_json)


def profile_row(profile: Profile, provider: str, *, all_providers: bool = False) -> Row:
    """Return a profile without keys of the store and without times of runs."""
    canonical = profile.canonical.get(provider)
    return {
        "id": profile.id,
        "email": profile.email,
        "line_id": canonical.line_id if canonical else None,
        "line_ids": [
            {"line_id": account.line_id, "follow_state": account.follow_state}
            | ({"provider": account.provider} if all_providers else {})
            for account in profile.line_accounts
            if all_providers or account.provider == provider
        ],
        "attributes": profile.attributes,
        "aliases": {"ids": list(profile.former_ids), "emails": list(profile.former_emails)},
    }


def shared(store: Store, policy: MergePolicy) -> Iterator[Row]:
    """Return one row per identifier that identifies nobody, with the setting that bounds its kind."""
    with store.read() as connection:
        found = shared_identifiers(connection)
    for name in sorted(found, key=lambda name: (policy.rank(name), name)):
        yield {
            "kind": name.kind,
            "provider": name.provider or None,
            "value": name.value,
            "setting": BOUND_SETTINGS[name.kind],
            "bound": policy.bound(name.kind),
        }


def merges(store: Store) -> Iterator[Row]:
    """Return one row per merge or moved identifier, oldest first."""
    table = identity.merges.c
    columns = (table.merge_id, table.merged_at, table.rule, table.survivor, table.absorbed, table.identifier)
    query = select(*columns, table.evidence_at, table.before, table.undone_at).order_by(table.merge_id)
    yield from _rows(store, query)


def short_merge(row: Row) -> Row:
    """Return a merge with fewer columns, for a table."""
    return {
        "merge": str(row["merge_id"]),
        "when": row["evidence_at"] or row["merged_at"],
        "rule": row["rule"],
        "who": row["absorbed"],
        "into": row["survivor"],
        "by": row["identifier"],
        "undone": row["undone_at"],
    }


def deliveries(store: Store, channel: str) -> Iterator[Row]:
    """Return one row per message with its status and its request, oldest first."""
    message, request = ledger.messages.c, ledger.requests.c
    query = (
        select(
            message.message_id,
            message.record,
            message.line_id,
            message.status,
            message.reason,
            message.detail,
            request.method,
            message.retry_key,
            request.request_id,
            func.coalesce(request.attempts, 0).label("attempts"),
            message.campaign,
            message.send_at,
            message.staged_at,
            message.updated_at,
        )
        .select_from(ledger.messages.outerjoin(ledger.requests, message.retry_key == request.retry_key))
        .where(message.channel == channel)
        .order_by(message.staged_at, message.message_id)
    )
    for row in _rows(store, query):
        column, recipient = recipient_of(row.pop("record"))
        message_id = row.pop("message_id")
        yield {"message_id": message_id, "recipient_column": column, "recipient": recipient, **row}


def rejected_records(store: Store, channel: str) -> Iterator[Row]:
    """Return one row per rejected record, oldest first."""
    table = rejects.c
    columns = (table.reject_id, table.stream, table.reason, table.detail, table.record, table.times_seen)
    times = (table.first_seen_at, table.last_seen_at, table.replayed_at)
    yield from _rows(store, select(*columns, *times).where(table.channel == channel).order_by(table.reject_id))


def runs(store: Store, channel: str) -> Iterator[Row]:
    """Return one row per run of the target, oldest first."""
    table = run_rows.c
    yield from _rows(store, select(run_rows).where(table.channel == channel).order_by(table.started_at))


def plans(store: Store, channel: str) -> Iterator[Row]:
    """Return one row per stored plan, oldest first."""
    table = ledger.plans.c
    query = select(table.plan_hash, table.made_at, table.summary).where(table.channel == channel)
    yield from _rows(store, query.order_by(table.made_at))


def status(store: Store, channel: str) -> Row:
    """Return the number of rows by kind, and of messages by status."""
    counted = {
        "events": select(func.count()).select_from(inbox.events),
        "identifiers": select(func.count()).select_from(identity.identifiers),
        "merges": select(func.count()).select_from(identity.merges),
        "rejects": select(func.count()).select_from(rejects).where(rejects.c.channel == channel),
    }
    message = ledger.messages.c
    by_status = select(message.status, func.count()).where(message.channel == channel).group_by(message.status)
    with store.read() as connection:
        row: Row = {name: connection.execute(query).scalar_one() for name, query in counted.items()}
        row |= {f"messages {status}": count for status, count in sorted(connection.execute(by_status))}
    return row


def _rows(store: Store, query: Any) -> Iterator[Row]:  # noqa: ANN401 - a Select of any columns
    with store.read() as connection:
        for row in connection.execution_options(yield_per=1000).execute(query).mappings():
            yield {name: _json_value(value) for name, value in row.items()}


def _json_value(value: Any) -> Any:  # noqa: ANN401 - any column's value
    return _iso(value) if hasattr(value, "isoformat") else value


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
