"""Rows of the ledger and of the rejects that name a person: find them, and erase them.

Rows are found in a read transaction of their own, and changed by their keys in a later one. In between, no row that
names the person can be added, since the person's identifiers are saved as erased before.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, literal, select, update

from line_core.errors import LineError
from line_core.message_status import MessageStatus
from line_core.store.dialects import in_values
from line_core.store.tables import ledger
from line_core.store.tables.rejects import rejects
from target_line.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from line_core.store import Store
    from target_line.erasure.mentions import Person

_PAGE_SIZE = 1000
"""Rows fetched together."""


class SendInProgressError(LineError):
    """A claimed request to the person has no response yet, so its body must not change."""


@dataclass(frozen=True, slots=True)
class DocumentMention:
    """A row whose document names the person."""

    table: str
    key: tuple[Any, ...]
    """Values of the primary key."""
    state: str
    """Status of a message or a request, reason code of a reject."""


def find_documents(store: Store, person: Person) -> list[DocumentMention]:
    """Return the messages, requests, plans and rejects of all channels that name a person."""
    messages, requests, plans = ledger.messages.c, ledger.requests.c, ledger.plans.c
    keys_and_states = {
        "messages": ((messages.channel, messages.message_id), messages.status, (messages.record, messages.line_id)),
        "requests": ((requests.retry_key,), requests.status, (requests.body,)),
        "plans": ((plans.channel, plans.plan_hash), literal("stored"), (plans.summary,)),
        "rejects": ((rejects.c.reject_id,), rejects.c.reason, (rejects.c.record,)),
    }
    found: list[DocumentMention] = []
    with store.read() as connection:
        for table, (key, state, documents) in keys_and_states.items():
            query = select(*key, state, *documents)
            found += [
                DocumentMention(table, tuple(row[: len(key)]), row[len(key)])
                for row in connection.execution_options(yield_per=_PAGE_SIZE).execute(query)
                if any(document and person.is_named_in(document) for document in row[len(key) + 1 :])
            ]
    return found


def check_no_send_in_progress(mentions: Iterable[DocumentMention]) -> None:
    """Check that no message that names the person has been claimed.

    Raises:
        SendInProgressError: There is one.
    """
    if any(mention.state == MessageStatus.CLAIMED for mention in mentions):
        raise SendInProgressError("a message to the person is being sent; run target-line to its end first")


def erase_documents(connection: Connection, person: Person, mentions: Iterable[DocumentMention]) -> Counter[str]:
    """Erase the person from found rows. Scheduled messages become skipped; rejects and plans are deleted.

    Args:
        connection: A write transaction that holds the lock `ledger`.
        person: The person.
        mentions: Result of `find_documents`.

    Returns:
        Number of changed rows by table.

    Raises:
        SendInProgressError: A message has been claimed meanwhile.
    """
    keys: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for mention in mentions:
        keys[mention.table].append(mention.key)
    retry_keys = {key for (key,) in keys["requests"]} | _empty_messages(connection, keys["messages"])
    _remove_from_bodies(connection, person, retry_keys)
    plans = ledger.plans
    for channel, plan_hash in keys["plans"]:
        connection.execute(delete(plans).where(plans.c.channel == channel, plans.c.plan_hash == plan_hash))
    reject_ids = [reject_id for (reject_id,) in keys["rejects"]]
    connection.execute(delete(rejects).where(in_values(connection, rejects.c.reject_id, reject_ids)))
    return Counter({table: len(found) for table, found in keys.items()})


def _empty_messages(connection: Connection, keys: Iterable[tuple[str, str]]) -> set[str]:
    """Skip the scheduled messages, remove recipient and content of all, and return the retry keys of their requests."""
    messages = ledger.messages
    now, retry_keys = datetime.now(UTC), set()
    skipped = {"status": MessageStatus.SKIPPED, "reason": Reason.FORGOTTEN}
    for channel, message_id in keys:
        selected = (messages.c.channel == channel) & (messages.c.message_id == message_id)
        status, retry_key = connection.execute(select(messages.c.status, messages.c.retry_key).where(selected)).one()
        check_no_send_in_progress([DocumentMention("messages", (channel, message_id), status)])
        empty: dict[str, Any] = {"record": {}, "line_id": None, "detail": None, "updated_at": now}
        changed = {**empty, **skipped} if status == MessageStatus.SCHEDULED else empty
        connection.execute(update(messages).where(selected).values(changed))
        if retry_key:
            retry_keys.add(retry_key)
    return retry_keys


def _remove_from_bodies(connection: Connection, person: Person, retry_keys: Iterable[str]) -> None:
    requests = ledger.requests.c
    query = select(requests.retry_key, requests.status, requests.body)
    for retry_key, status, body in connection.execute(
        query.where(in_values(connection, requests.retry_key, retry_keys))
    ).all():
        check_no_send_in_progress([DocumentMention("requests", (retry_key,), status)])
        remaining = {"body": body_without_person(body, person), "error": None}
        connection.execute(update(ledger.requests).where(requests.retry_key == retry_key).values(remaining))


def body_without_person(body: str, person: Person) -> str:
    """Return the body of a finished request without the person; `{}` if no other recipient remains."""
    content = json.loads(body)
    to = content.get("to")
    others = [line_id for line_id in to if line_id not in person.line_ids] if isinstance(to, list) else []
    if not others:
        return "{}"
    remaining = {**content, "to": others}
    return "{}" if person.is_named_in(remaining) else json.dumps(remaining, ensure_ascii=False, separators=(",", ":"))
