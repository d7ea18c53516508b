"""The sink and the parser of each stream role."""

from __future__ import annotations

from typing import Any

import pytest

from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from target_line.erasure.person import erase_person
from target_line.intake.roles import Role
from target_line.reasons import Reason, RejectedRecordError
from target_line.run_context import RunContext
from target_line.settings import CONFIG_JSONSCHEMA
from target_line.sinks import sink_class_of
from tests.support.people import line_id

RECORDS: dict[Role, dict[str, Any]] = {
    Role.PROFILES: {"id": "a", "line_id": line_id(1)},
    Role.FOLLOWS: {"line_id": line_id(1), "type": "follow"},
    Role.FOLLOWERS: {"line_id": line_id(1)},
    Role.FRIENDSHIPS: {"line_id": line_id(1), "follow_state": "following"},
    Role.MESSAGES: {"message_id": "m1", "line_id": line_id(1), "text": "x"},
    Role.CANCELLATIONS: {"message_id": "m1"},
}
"""One valid record of each role."""


def config(store_url: str, **settings: Any) -> dict[str, Any]:
    properties = CONFIG_JSONSCHEMA["properties"]
    defaults = {name: setting["default"] for name, setting in properties.items() if "default" in setting}
    return {**defaults, "store_url": store_url, **settings}


def test_every_role_has_an_example_here() -> None:
    missing = sorted(set(Role) - set(RECORDS))
    assert not missing, f"add a record of the roles {missing} to RECORDS in this file"


@pytest.mark.parametrize("role", RECORDS)
def test_a_parsed_record_is_saved_by_the_sink_of_its_role(role: Role, sqlite_url: str) -> None:
    context = RunContext.open(config(sqlite_url))
    with context.store:
        parsed = context.parser.parse(role, RECORDS[role])
        sink_class = sink_class_of(role)
        sink = object.__new__(sink_class)
        sink.run_context, sink.role, sink.stream_name = context, role, role.value
        sink.save([parsed])
        assert context.report.received == {role: 1}


def test_a_record_of_an_erased_person_is_rejected_for_every_role(sqlite_url: str) -> None:
    settings = config(sqlite_url)
    with open_store(settings["store_url"]) as store:
        erase_person(store, MergePolicy(), Identifier(IdentifierKind.LINE_ID, "default", line_id(1)))
    context = RunContext.open(settings)
    with context.store:
        records = {**RECORDS, Role.PROFILES: {"line_id": line_id(1), "name": "Aoi"}}
        del records[Role.CANCELLATIONS]  # names no person
        for role, record in records.items():
            with pytest.raises(RejectedRecordError) as caught:
                context.parser.parse(role, record)
            assert caught.value.reason is Reason.FORGOTTEN
