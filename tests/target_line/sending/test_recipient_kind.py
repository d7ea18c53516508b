"""The recipient kind of a request: stored with new claims, derived for the requests of earlier versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from alembic import command
from sqlalchemy import create_engine, insert, make_url, select

from line_core.store import open_store, upgrade_store
from line_core.store.schema import alembic_config
from line_core.store.tables.ledger import requests
from target_line.sending.decide.content import MessageContent
from target_line.sending.decide.decisions import Send
from target_line.sending.ledger import Ledger
from target_line.sending.read.recipients import AllFollowers, ChatRecipient
from tests.support.ledger_claims import claim_due, request_claims
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from line_core.store import Store


@pytest.mark.parametrize(
    ("to", "kind"),
    [(ChatRecipient("C" + "1" * 32), "group"), (ChatRecipient("R" + "1" * 32), "room"), (AllFollowers(), "followers")],
)
def test_a_claim_stores_the_recipient_kind(store: Store, to: ChatRecipient | AllFollowers, kind: str) -> None:
    ledger = Ledger(store, "main", "run")
    record = {"message_id": "m", "id": "a", "text": "x"}
    with store.write(lock="ledger") as connection:
        stage_records(connection, [record], channel=ledger.channel, run_id=ledger.run_id)
    claim_due(request_claims(ledger), ledger, lambda _: Send(to, MessageContent("[]")))
    with store.read() as connection:
        assert connection.execute(select(requests.c.recipient_kind)).scalars().all() == [kind]


def test_an_upgrade_derives_the_kind_from_method_and_body(empty_database_url: str) -> None:
    rows = {
        "1": ("push", '{"to":"U1","messages":[]}', "user"),
        "2": ("push", '{"to":"C1","messages":[]}', "group"),
        "3": ("push", '{"to":"R1","messages":[]}', "room"),
        "4": ("multicast", '{"to":["U1","U2"],"messages":[]}', "user"),
        "5": ("broadcast", '{"messages":[]}', "followers"),
        "6": ("narrowcast", '{"filter":{},"messages":[]}', "selection"),
        "7": ("push", '{"to":"?","messages":[]}', None),
    }
    engine = create_engine(make_url(empty_database_url))
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        for key, (method, body, _) in rows.items():
            claimed = {"claimed_by": "run", "claimed_at": datetime.now(UTC), "status": "accepted"}
            values = {"retry_key": key, "channel": "main", "method": method, "body": body, "recipients": 1, **claimed}
            connection.execute(insert(requests).values(values))
    engine.dispose()
    assert upgrade_store(empty_database_url)[0] == "0003"
    with open_store(empty_database_url) as store, store.read() as connection:
        kinds = connection.execute(select(requests.c.retry_key, requests.c.recipient_kind, requests.c.body))
        assert {key: (kind, body) for key, kind, body in kinds} == {
            key: (kind, body) for key, (_, body, kind) in rows.items()
        }


def test_a_request_that_an_earlier_version_inserted_without_the_kind_is_sent(store: Store) -> None:
    claimed = {"status": "claimed", "claimed_by": "run of an earlier version", "claimed_at": datetime.now(UTC)}
    values = {"retry_key": "k", "channel": "main", "method": "push", "body": "{}", "recipients": 1, **claimed}
    with store.write() as connection:
        connection.execute(insert(requests).values(values))
    unfinished, _ = request_claims(Ledger(store, "main", "new run")).take_over_unfinished()
    assert [request.retry_key for request in unfinished] == ["k"]
