"""A sandbox and a store with data for every stream of tap-line."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from sqlalchemy import insert

from examples.demo import servers
from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from line_core.store.tables import ledger
from line_core.store.tables.rejects import rejects
from target_line.identity.repository import IdentityRepository
from tests.support.inbox_events import event
from tests.support.people import follow, identify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = {"Authorization": "Bearer sandbox-token"}
UNIT = "spring_sale"


@contextmanager
def seeded_account(directory: Path, *options: str, followers: int = 200, events: int = 500) -> Iterator[dict[str, Any]]:
    """Start a sandbox, fill a store, and yield tap-line's settings.

    Args:
        directory: Directory of the store and the logs.
        options: Additional options of the sandbox.
        followers: Number of followers.
        events: Number of webhook events in the inbox.
    """
    store_url = f"sqlite:///{directory / 'store.db'}"
    serve = ("line-sandbox", "serve", "--port", "0", "--followers", str(followers), *options)
    environment = {
        **os.environ,
        "TAP_LINE_WEBHOOK_STORE_URL": store_url,
        "TAP_LINE_WEBHOOK_CHANNEL_SECRET": "sandbox-secret",
    }
    receive = ("tap-line-webhook", "serve", "--port", "0")
    with (
        servers.program(*serve, log=directory / "sandbox.log") as sandbox,
        servers.program(*receive, environment=environment, log=directory / "webhook.log") as receiver,
    ):
        call(sandbox, "PUT", "/v2/bot/channel/webhook/endpoint", {"endpoint": "https://shop.example/webhook/main"})
        webhooks = {"url": f"{receiver}/webhook/main", "generate": {"count": events}, "batch_size": 20}
        call(sandbox, "POST", "/sandbox/webhooks", webhooks)
        _follow_and_block(sandbox, receiver)
        _upload_audience(sandbox)
        _fill_ledger(store_url, sandbox)
        _fill_identities_and_rejects(store_url)
        yield {
            "channel_access_token": "sandbox-token",
            "api_url": sandbox,
            "api_data_url": sandbox,
            "store_url": store_url,
            "profile_source": "both",
            "content_directory": str(directory / "contents"),
        }


def call(sandbox: str, method: str, path: str, body: object) -> requests.Response:
    """Send a request to the sandbox, which must succeed."""
    response = requests.request(method, sandbox + path, json=body, headers=TOKEN, timeout=60)
    response.raise_for_status()
    return response


def line_ids(sandbox: str, count: int) -> list[str]:
    """Return the LINE IDs of the first followers."""
    listed: list[str] = call(sandbox, "GET", f"/sandbox/users?limit={count}", None).json()["line_ids"]
    return listed


def _follow_and_block(sandbox: str, receiver: str) -> None:
    """Send a follow event of one person, who then blocks the account without an event."""
    line_id = line_ids(sandbox, 1)[0]
    webhooks = {"url": f"{receiver}/webhook/main", "events": [event(0, "follow", line_id)]}
    call(sandbox, "POST", "/sandbox/webhooks", webhooks)
    call(sandbox, "POST", f"/sandbox/users/{line_id}", {"state": "blocked"})


def _upload_audience(sandbox: str) -> None:
    audiences = [{"id": line_id} for line_id in line_ids(sandbox, 60)]
    body = {"description": "uploaded", "isIfaAudience": False, "audiences": audiences}
    call(sandbox, "POST", "/v2/bot/audienceGroup/upload", body)


def _fill_ledger(store_url: str, sandbox: str) -> None:
    """Send a broadcast, a narrowcast and a multicast, and insert the ledger rows that target-line would insert."""
    people = line_ids(sandbox, 50)
    message = {"messages": [{"type": "text", "text": "hello"}]}
    bodies = {
        "broadcast": message,
        "narrowcast": message,
        "multicast": {**message, "to": people, "customAggregationUnits": [UNIT]},
    }
    now = datetime.now(UTC)
    with open_store(store_url) as store, store.write(lock="ledger") as connection:
        for method, body in bodies.items():
            response = call(sandbox, "POST", f"/v2/bot/message/{method}", body)
            key = str(uuid.uuid4())
            request = {
                "retry_key": key,
                "channel": "main",
                "method": method,
                "body": "{}",
                "recipients": 1,
                "status": "accepted",
                "attempts": 1,
                "claimed_by": "test",
                "claimed_at": now,
                "finished_at": now,
                "request_id": response.headers["x-line-request-id"],
            }
            connection.execute(insert(ledger.requests).values(request))
            row = {
                "channel": "main",
                "message_id": f"m-{method}",
                "status": "accepted",
                "record": {"message_id": f"m-{method}"},
                "content_key": method,
                "staged_by": "test",
                "retry_key": key,
                "campaign": UNIT if method == "multicast" else None,
                "staged_at": now,
                "updated_at": now,
            }
            connection.execute(insert(ledger.messages).values(row))


def _fill_identities_and_rejects(store_url: str) -> None:
    now = datetime.now(UTC)
    reject = {
        "channel": "main",
        "stream": "messages",
        "digest": "0" * 64,
        "reason": "no_recipient",
        "detail": "nobody",
        "record": {"text": "hello"},
        "first_seen_at": now,
        "last_seen_at": now,
    }
    with open_store(store_url) as store:
        people = IdentityRepository(store, MergePolicy())
        people.ingest([follow(1, at=1)])
        people.ingest([identify(at=2, id="1", line=1, name="Aoi"), identify(at=3, id="2", email="ren@example.com")])
        with store.write() as connection:
            connection.execute(insert(rejects).values(reject))
