"""What counts of records that are rejected, and what a run says about streams that can never be right."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from line_core.consent import consent_of
from line_core.identity.model import Identifier, IdentifierKind
from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from target_line.admin import listings
from target_line.erasure.person import erase_person
from target_line.identity.repository import IdentityRepository
from target_line.intake.rejects import RemovedIdentifier, notice_reject
from target_line.intake.stream_tally import AllRejectedError
from target_line.reasons import Reason
from target_line.target import TargetLine
from tests.support.people import line_id

DECLARED = {"id": {}, "line_id": {}, "email": {}, "points": {"type": ["integer", "null"]}, "updated_at": {}}
STATE = {"type": "STATE", "value": {"bookmarks": {"crm": 1}}}
NEW_YEAR = "2026-01-01T00:00:00Z"


def schema(stream: str = "crm-profiles", **properties: Any) -> dict[str, Any]:
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties or DECLARED}, "key_properties": []}


def record(stream: str = "crm-profiles", **values: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": stream, "record": values}


class Loading:
    """A store into which targets load messages."""

    def __init__(self, store_url: str) -> None:
        self.store_url = store_url

    def load(self, *messages: dict[str, Any], **settings: Any) -> None:
        target = TargetLine(config={"store_url": self.store_url, **settings})
        target.listen(io.StringIO("".join(json.dumps(message) + "\n" for message in messages)))

    def suppressed(self) -> set[str]:
        with open_store(self.store_url) as store:
            profiles = IdentityRepository(store, MergePolicy()).profiles()
            return {profile.key.value for profile in profiles if consent_of(profile.attributes.get("unsubscribed"))}

    def rejects(self) -> dict[str, dict[str, Any]]:
        with open_store(self.store_url) as store:
            return {row["reason"]: row for row in listings.rejected_records(store, "main")}


@pytest.fixture
def loading(sqlite_url: str) -> Loading:
    return Loading(sqlite_url)


@pytest.mark.parametrize(
    "rejected",
    [
        {"points": "many"},
        {"updated_at": "yesterday"},
        {"updated_at": "9999-12-31"},
        {"attributes": "{"},
        {"name": "\ud83d"},
        {"tree": json.loads("[" * 120 + "1" + "]" * 120), "tags": [[]], "email": None},
        {"UNSUBSCRIBED": json.loads('{"a":' * 120 + "1" + "}" * 120)},
        {"UNSUBSCRIBED": "since \ud83d"},
        {"email": "info@", "points": "many"},
        {"id": "null", "line_id": "x", "email": "family@example.com", "points": 1.5},
    ],
)
def test_the_opt_out_of_a_rejected_record_counts(loading: Loading, rejected: dict[str, Any]) -> None:
    known = record(id="c-1", email="family@example.com", unsubscribed=False, updated_at=NEW_YEAR)
    opt_out = record(**{"id": "c-1", "UNSUBSCRIBED": "Y", "updated_at": "2026-02-02", **rejected})
    loading.load(schema(), known, opt_out)
    assert loading.suppressed() == {"c-1"}
    assert len(loading.rejects()) == 1


def test_a_removed_identifier_is_a_reject_of_a_record_that_counts(
    loading: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bad = record(id="c-1", email="null@null.com", line_id="U1", updated_at=NEW_YEAR)
    loading.load(schema(), bad, bad, record(id="c-2"), STATE)
    (reject,) = loading.rejects().values()
    assert reject["reason"] == "junk_identifier"
    assert reject["record"] == bad["record"]
    assert "profiles: 3 records: taken in 3" in caplog.text
    assert "identifiers removed from records that were taken in: junk_identifier 2" in caplog.text
    assert "null@null.com" not in caplog.text


def test_a_notice_does_not_keep_an_erased_identifier() -> None:
    removed = RemovedIdentifier("email", Reason.FORGOTTEN, "erased", erased=object())  # type: ignore[arg-type]
    reject = notice_reject("profiles", {"id": "c-1", "EMAIL": "aoi@example.com", "name": "Aoi"}, [removed])
    assert reject.record == {"id": "c-1", "name": "Aoi"}


def test_a_stream_of_which_all_records_are_rejected_ends_the_run_without_state(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [record(id=str(number), updated_at=f"{number} January") for number in range(1, 4)]
    follows = schema("follows", line_id={}, type={}), record("follows", line_id=line_id(1), type="follow")
    with pytest.raises(AllRejectedError) as caught:
        loading.load(schema(), *wrong, record(id=1.5), *follows, STATE)
    assert caught.value.exit_code == 3
    assert "stream 'crm-profiles': all 4 records" in str(caught.value)
    assert "invalid_id (id) 1, invalid_timestamp (updated_at) 3" in str(caught.value)
    assert "January" not in str(caught.value)
    assert capsys.readouterr().out == ""


def test_a_stream_with_an_accepted_record_passes_the_state_on(
    loading: Loading, capsys: pytest.CaptureFixture[str]
) -> None:
    loading.load(schema(), record(id="a", updated_at="x"), record(id="b"), STATE)
    assert json.loads(capsys.readouterr().out) == STATE["value"]


def test_records_of_erased_persons_are_no_reason_to_fail(loading: Loading, capsys: pytest.CaptureFixture[str]) -> None:
    loading.load(schema(), record(id="c-1"))
    with open_store(loading.store_url) as store:
        erase_person(store, MergePolicy(), Identifier(IdentifierKind.ID, "", "c-1"))
    loading.load(schema(), record(id="c-1"), STATE)
    assert json.loads(capsys.readouterr().out) == STATE["value"]


def test_messages_of_which_all_are_rejected_end_the_run(loading: Loading) -> None:
    messages = schema("messages", message_id={}, id={}, text={}), record("messages", message_id="m", id="a", text=None)
    with pytest.raises(AllRejectedError, match="stream 'messages': all 1 records were rejected: no_content 1"):
        loading.load(*messages, channel_access_token="token")


@pytest.mark.parametrize(
    ("properties", "records", "settings", "expected"),
    [
        (
            {"id": {}},
            [{"id": "a"}],
            {},
            "no record of the stream crm-profiles has an attribute of suppression_attributes",
        ),
        ({"id": {}, "UNSUBSCRIBED": {}}, [{"id": "a"}], {}, None),
        ({"id": {}}, [{"id": "a", "Unsubscribed": None}], {}, None),
        ({"id": {}}, [{"id": "a", "attributes": {"UNSUBSCRIBED": None}}], {}, None),
        ({"id": {}}, [{"id": "a", "attributes": '{"unsubscribed": false}'}], {}, None),
        ({"id": {}}, [{"id": "a"}], {"suppression_attributes": []}, None),
        (
            {"id": {}, "unsubscribed": {}},
            [{"id": "a"}],
            {"suppression_attributes": ["unsubscribed", "optout"]},
            "no profiles record of this run has the attribute optout of suppression_attributes",
        ),
        (
            {"id": {}, "unsubscribed": {}},
            [{"id": "a"}],
            {"quiet_hours": "21:00-08:00", "time_zone": "Asia/Tokyo", "time_zone_attribute": "tz"},
            "no profiles record of this run has the attribute tz of time_zone_attribute",
        ),
        ({"id": {}, "unsubscribed": {}}, [{"id": "a"}], {"time_zone": "Asia/Tokyo", "time_zone_attribute": "tz"}, None),
        (
            {"id": {}, "unsubscribed": {}, "TZ": {}},
            [{"id": "a"}],
            {"quiet_hours": "21:00-08:00", "time_zone": "Asia/Tokyo", "time_zone_attribute": "tz"},
            None,
        ),
    ],
)
def test_a_safety_setting_that_names_no_column_is_warned_about_once(
    loading: Loading,
    caplog: pytest.LogCaptureFixture,
    properties: dict[str, Any],
    records: list[dict[str, Any]],
    settings: dict[str, Any],
    expected: str | None,
) -> None:
    loading.load(schema(**properties), *(record(**each) for each in records * 3), **settings)
    warnings = [each.message for each in caplog.records if each.levelname == "WARNING" and "no " in each.message]
    assert len(warnings) == (expected is not None)
    assert expected is None or expected in warnings[0]


@pytest.mark.parametrize(("channels", "warned"), [(["shop"], True), (["shop", None], False), ([None], False)])
def test_follow_states_that_all_belong_to_other_channels_are_warned_about(
    loading: Loading,
    caplog: pytest.LogCaptureFixture,
    channels: list[str | None],
    warned: bool,
) -> None:
    follows = (record("follows", line_id=line_id(1), type="follow", channel=channel) for channel in channels)
    loading.load(schema("follows", line_id={}, type={}, channel={}), *follows)
    assert ("all follow states of this run belong to other channels (shop)" in caplog.text) is warned


def test_columns_of_messages_without_a_meaning_are_named_once(
    loading: Loading, caplog: pytest.LogCaptureFixture
) -> None:
    message = {"message_id": "m", "id": "a", "text": "x", "send_at": "2999-01-01", "replyToken": "secret-token"}
    stream = schema("messages", message_id={}, id={}, text={}, SEND_AT={})
    loading.load(stream, record("messages", **message), record("messages", **message), channel_access_token="token")
    warnings = [each.message for each in caplog.records if "have no meaning" in each.message]
    assert warnings == ["Stream 'messages': columns that have no meaning are ignored: replyToken"]
    assert "secret-token" not in caplog.text
