"""Commands that correct merges, erase and admit persons, and check the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, insert, select, update

from line_core.errors import LineError
from line_core.identity.model import Claim, DatedValue, Identifier, IdentifierKind, RefusedOptOut
from line_core.identity.policy import IdentifierConflict, MergePolicy
from line_core.store.saved_policy import save_policy
from line_core.store.tables import identity as tables
from line_core.store.tables import ledger
from target_line.admin.cli import commands
from target_line.admin.store_check import check_store
from target_line.identity.repository import IdentityRepository
from target_line.intake.rejects import Reject, save_rejects
from target_line.reasons import Reason
from tests.support.people import follow, identify, line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from line_core.store import Store


class Admin:
    """Runs commands on a store."""

    def __init__(self, store_url: str) -> None:
        self.store_url = store_url

    def run(self, *arguments: str, expect: int = 0, **how: Any) -> Result:
        outcome = CliRunner().invoke(
            commands, ["--store-url", self.store_url, *arguments], catch_exceptions=False, **how
        )
        assert outcome.exit_code == expect, outcome.output
        return outcome

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run(*arguments, "--format", "jsonl").stdout.splitlines()]


def of_provider(provider: str, **columns: Any) -> Claim:
    """Return the claim of a `profiles` record whose LINE ID is of another provider."""
    claim = identify(**columns)
    assert isinstance(claim, Claim)
    names = (name._replace(provider=provider) if name.provider else name for name in claim.identifiers)
    return msgspec.structs.replace(claim, identifiers=tuple(names))


@pytest.fixture
def admin(store: Store, store_url: str) -> Admin:
    """The anonymous profile of a LINE ID was merged into id a."""
    identity = IdentityRepository(store, MergePolicy())
    identity.ingest([follow(1, at=1)])
    identity.ingest([identify(at=2, id="a", email="a@example.com", line=1, plan="gold")])
    return Admin(store_url)


def test_unmerge_shows_what_will_change_and_asks(admin: Admin) -> None:
    before = admin.rows("identities")
    asked = admin.run("unmerge", "1", expect=1, input="n\n")
    assert asked.stdout.startswith(
        "before:\n"
        f"  id:a: email:a@example.com, id:a, line_id:default/{line_id(1)}; LINE ID {line_id(1)}; plan='gold'\n"
        "after:\n"
    )
    assert "id:a: email:a@example.com, id:a; no LINE ID; plan='gold'\n" in asked.stdout
    assert admin.rows("identities") == before
    assert "`target-line-admin undo 2` takes it back" in admin.run("unmerge", "1", input="y\n").stdout
    assert len(admin.rows("identities")) == 2
    assert "separate: id:a and line_id:default" in admin.run("explain", "a").stdout
    for undo in ("undo", "remerge"):
        assert admin.run(undo, "1", "--yes").stdout.endswith("1 is taken back\n")
        assert admin.rows("identities") == before
        admin.run("unmerge", "1", "--yes")


def test_an_identifier_is_detached_and_a_record_withdrawn_by_commands(admin: Admin) -> None:
    before = admin.rows("identities")
    admin.run("detach", line_id(1), "--yes")
    assert len(admin.rows("identities")) == 2
    admin.run("undo", "2", "--yes")
    record = ("--at", "2026-01-01T09:03+09:00", "a", "a@example.com", line_id(1))
    with pytest.raises(LineError, match="no record of these identifiers has this time"):
        admin.run("withdraw", *record, "--yes")
    record = ("--at", "2026-01-01T00:02:00Z", *record[2:])
    admin.run("withdraw", *record, "--yes")
    assert [row["rule"] for row in admin.rows("merges")][-1] == "withdrawn"
    assert [row["attributes"] for row in admin.rows("identities")] == [{}]
    admin.run("undo", "3", "--yes")
    assert admin.rows("identities") == before
    assert "neither an ISO 8601" in admin.run("withdraw", "--at", "yesterday", "a", expect=2).output


def test_forget_lists_what_names_a_person_and_who_else_claims_it(admin: Admin, store: Store) -> None:
    IdentityRepository(store, MergePolicy()).ingest([identify(at=1, id="b", email="a@example.com")])
    record = {"message_id": "m1", "email": "A@example.com ", "text": "x"}
    with store.write(lock="ledger") as connection:
        stage_records(connection, [record])
        save_rejects(connection, "main", [Reject("profiles", {"id": " a ", "x": 1}, Reason.INVALID_RECORD, "no")])
    listed = [(row["table"], row["key"], row["state"]) for row in admin.rows("forget", "a", "--dry-run")]
    assert listed == [
        ("identifiers", "email:a@example.com", ""),
        ("identifiers", "id:a", ""),
        ("identifiers", f"line_id:default/{line_id(1)}", ""),
        ("merges", "1", ""),
        ("merges", "2", ""),
        ("messages", "main m1", "scheduled"),
        ("rejects", "1", "invalid_record"),
        ("records of others", "id:b", "claims email:a@example.com"),
    ]
    asked = admin.run("forget", "a", expect=1, input="n\n")
    assert "id:b claims email:a@example.com too" in asked.stderr
    admin.run("forget", "a", "--yes")
    assert admin.rows("forget", "a", "--dry-run") == []
    assert admin.rows("status", "--check") == []
    admin.run("admit", "a", "--reason", "registered again")
    with pytest.raises(LineError, match="the given id was not erased"):
        admin.run("admit", "a", "--reason", "registered again")


BREAKS = {
    "identifiers id:x its cluster 77 does not exist": insert(tables.identifiers).values(
        kind="id", provider="", value="x", cluster_id=77
    ),
    "identifiers id:x cluster 1 does not contain it": insert(tables.identifiers).values(
        kind="id", provider="", value="x", cluster_id=1
    ),
    "identity_clusters 1 no row refers id:a to it": delete(tables.identifiers).where(tables.identifiers.c.value == "a"),
    "identity_clusters 1 its evidence cannot be read: JSONDecodeError": update(tables.clusters).values(evidence="{"),
    "identity_clusters 1 it has no evidence": update(tables.clusters).values(evidence='{"claims":[],"follows":[]}'),
    "identity_clusters 1 the last number used is 0": update(tables.counters).values(value=0),
    "merges 1 'somebody' is not an identifier": update(tables.merges).values(survivor="somebody"),
    "merges 1 the rule 'x' is unknown": update(tables.merges).values(rule="x"),
    "messages main m1 its status is unknown": update(ledger.messages).values(status="lost"),
    "messages main m1 it has no request": update(ledger.messages).values(status="accepted"),
    "messages main m1 its request does not exist": update(ledger.messages).values(status="accepted", retry_key="k"),
    "messages main m1 it has a request, and is not sent": update(ledger.messages).values(retry_key="k"),
}


def test_the_check_of_the_store_names_what_is_broken(admin: Admin, store: Store) -> None:
    record = {"message_id": "m1", "id": "a", "text": "x"}
    with store.write(lock="ledger") as connection:
        stage_records(connection, [record])
        checked = (tables.clusters, tables.identifiers, tables.counters, tables.merges, ledger.messages)
        rows = {table: connection.execute(select(table)).mappings().all() for table in checked}
    assert list(check_store(store)) == []
    for broken, statement in BREAKS.items():
        with store.write() as connection:
            connection.execute(statement)
        assert broken in [" ".join(invariant) for invariant in check_store(store)]
        with store.write() as connection:
            for table in checked:
                connection.execute(delete(table))
                connection.execute(insert(table), [dict(row) for row in rows[table]])
    assert list(check_store(store)) == []


def test_the_check_of_the_store_finds_an_erased_identifier(admin: Admin, store: Store) -> None:
    admin.run("forget", "a", "--yes")
    IdentityRepository(store, MergePolicy()).ingest([identify(at=1, id="a")])
    outcome = CliRunner().invoke(commands, ["--store-url", admin.store_url, "status", "--check", "--format", "jsonl"])
    assert isinstance(outcome.exception, LineError)
    assert "id:a was erased, and is in its evidence" in outcome.stdout


def test_explain_keeps_providers_and_channels_apart(store: Store, store_url: str) -> None:
    admin = Admin(store_url)
    identity = IdentityRepository(store, MergePolicy())
    identity.ingest(
        [
            identify(at=1, id="a", line=1),
            follow(1, at=2, type_="unfollow", channel="shop"),
            follow(1, at=1, channel="main"),
        ]
    )
    sent = json.loads(admin.run("explain", "a", "--format", "json").stdout)["messages"]
    assert (sent["result"], sent["line_id"]) == ("sent", line_id(1))
    assert "A message on channel main of provider default is sent to U" in admin.run("explain", "a").stdout
    skipped = admin.run("--channel", "shop", "explain", "a").stdout
    assert "A message on channel shop of provider default is not sent: skipped (unfollowed)." in skipped
    assert f"{line_id(1)} of provider default: unfollowed on channel shop, 2026-01-01T00:02:00.000Z" in skipped
    other = admin.run("--provider", "other", "explain", "a").stdout
    assert "A message on channel main of provider other is not sent: skipped (no_line_id)." in other
    identity.ingest([identify(at=3, id="a", unsubscribed="yes")])
    assert "is not sent: skipped (suppressed)." in admin.run("explain", "a").stdout


def test_explain_says_that_a_contested_identifier_gets_no_messages(store: Store, store_url: str) -> None:
    admin = Admin(store_url)
    policy = MergePolicy(conflict=IdentifierConflict.REJECT)
    save_policy(store, policy)
    IdentityRepository(store, policy).ingest([identify(at=1, id="a", line=1), identify(at=1, id="b", line=1)])
    assert "is not sent: rejected (ambiguous_identity)." in admin.run("explain", line_id(1)).stdout
    assert "is not sent: skipped (no_line_id)." in admin.run("explain", "a").stdout


def test_explain_of_a_line_id_that_only_a_rejected_record_names(store: Store, store_url: str) -> None:
    identifier = Identifier(IdentifierKind.LINE_ID, "default", line_id(1))
    refused = RefusedOptOut((identifier,), {"unsubscribed": DatedValue(1, True)})
    IdentityRepository(store, MergePolicy()).ingest([refused])
    with pytest.raises(LineError, match=r"only a rejected record names it. .* is not sent: skipped \(suppressed\)"):
        Admin(store_url).run("explain", line_id(1))


def test_a_line_id_of_several_providers_must_be_named_with_its_provider(store: Store, store_url: str) -> None:
    admin = Admin(store_url)
    identity = IdentityRepository(store, MergePolicy())
    identity.ingest([of_provider("shop", at=1, id="a", line=1)])
    assert "id:a is one person" in admin.run("explain", line_id(1)).stdout
    (row,) = admin.rows("identities")
    assert (row["line_id"], len(row["line_ids"])) == (line_id(1), 1)
    identity.ingest([of_provider("main", at=1, id="b", line=1)])
    with pytest.raises(LineError, match="of several providers: main, shop; name one with --provider"):
        admin.run("explain", line_id(1))
    assert "id:b is one person" in admin.run("explain", f"line_id:main/{line_id(1)}").stdout
    assert "id:b is one person" in admin.run("--provider", "main", "explain", line_id(1)).stdout


def test_identities_of_several_providers_say_so(store: Store, store_url: str) -> None:
    identity = IdentityRepository(store, MergePolicy())
    identity.ingest([identify(at=1, id="a", line=1), of_provider("shop", at=1, id="a", line=2)])
    listed = Admin(store_url).run("identities", "--format", "jsonl")
    assert "several providers: default, shop. The column line_id is of default" in listed.stderr
    row = json.loads(listed.stdout)
    assert row["line_id"] == line_id(1)
    assert [(item["line_id"], item["provider"]) for item in row["line_ids"]] == [
        (line_id(1), "default"),
        (line_id(2), "shop"),
    ]
    one = Admin(store_url).run("--provider", "shop", "identities", "--format", "jsonl")
    assert one.stderr == ""
    assert json.loads(one.stdout)["line_ids"] == [{"line_id": line_id(2), "follow_state": "unknown"}]


def test_shared_identifiers_are_listed_with_their_bound(store: Store, store_url: str) -> None:
    policy = MergePolicy(max_people_per_email=2)
    save_policy(store, policy)
    shared = [identify(at=1, id=str(number), email="info@example.com") for number in range(3)]
    IdentityRepository(store, policy).ingest(shared)
    assert Admin(store_url).rows("shared") == [
        {
            "kind": "email",
            "provider": None,
            "value": "info@example.com",
            "setting": "max_people_per_email",
            "bound": 2,
        }
    ]


def test_other_ids_of_a_profile_are_aliases(store: Store, store_url: str) -> None:
    policy = MergePolicy(precedence=(IdentifierKind.EMAIL, IdentifierKind.ID, IdentifierKind.LINE_ID))
    save_policy(store, policy)
    IdentityRepository(store, policy).ingest(
        [identify(at=1, id="a", email="x@example.com"), identify(at=2, id="b", email="x@example.com")]
    )
    (row,) = Admin(store_url).rows("identities")
    assert (row["id"], row["aliases"]) == ("b", {"ids": ["a"], "emails": []})
