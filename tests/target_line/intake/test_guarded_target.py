"""The target's boundary around records: what fails becomes a reject, from RECORD messages and batch files alike."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import RecordsWithoutSchemaException
from sqlalchemy.exc import DataError, OperationalError

from line_core.errors import StoreError
from line_core.identity.codec import encode_record
from line_core.identity.policy import MergePolicy
from line_core.store import open_store
from target_line.admin import listings
from target_line.identity.records import EvidenceParser
from target_line.identity.repository import IdentityRepository
from target_line.intake.singer_reader import InputError
from target_line.run_history import Run
from target_line.target import TargetLine
from tests.support.people import line_id

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.identity.model import Claim
    from target_line.identity.records import ParsedEvidence

SCHEMA = {
    "type": "SCHEMA",
    "stream": "profiles",
    "schema": {"properties": {"id": {}, "name": {}}},
    "key_properties": [],
}
DELETED = {"_sdc_deleted_at": "2026-01-01T00:00:00Z"}


class Loaded:
    """A store into which a target has loaded messages."""

    def __init__(self, tmp_path: Path, *messages: dict[str, Any], **settings: Any) -> None:
        self.store_url = f"sqlite:///{tmp_path / 'store.db'}"
        target = TargetLine(config={"store_url": self.store_url, **settings})
        target.listen(io.StringIO("".join(json.dumps(message) + "\n" for message in messages)))

    def ids(self) -> list[str]:
        with open_store(self.store_url) as store, store.read() as connection:
            rows = connection.exec_driver_sql("SELECT value FROM identifiers WHERE kind = 'id' ORDER BY value")
            return [value for (value,) in rows]

    def rejects(self) -> list[dict[str, Any]]:
        with open_store(self.store_url) as store:
            return list(listings.rejected_records(store, "main"))


def record(**values: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "profiles", "record": values}


def test_a_stream_map_that_fails_rejects_its_record_only(tmp_path: Path) -> None:
    stream_maps = {"profiles": {"name": "int(name)", "id": "id"}}
    records = [record(id="a", name="1"), record(id="b", name="aoi@example.com"), record(id="c", name="3")]
    loaded = Loaded(tmp_path, SCHEMA, *records, stream_maps=stream_maps)
    assert loaded.ids() == ["a", "c"]
    (reject,) = loaded.rejects()
    assert reject["record"] == {"id": "b", "name": "aoi@example.com"}
    assert reject["detail"] == "the stream map fails with ValueError"
    assert reject["reason"] == "not_mapped"


@pytest.mark.parametrize("name", ["aoi@example.com", "1 \ud83d"])
def test_a_record_that_is_not_mapped_says_no_for_nobody(name: str, tmp_path: Path) -> None:
    """Its columns are those of the tap: here, the id of another person."""
    columns = ("id", "name", "unsubscribed", "updated_at")
    stream_maps = {"profiles": {**{column: column for column in columns}, "name": "int(name)"}}
    schema = {**SCHEMA, "schema": {"properties": {column: {} for column in columns}}}
    yes = record(id="a", name="1", unsubscribed="yes", updated_at="2026-01-01")
    no = record(id="a", name=name, unsubscribed="no", updated_at="2026-01-02")
    loaded = Loaded(tmp_path, schema, yes, no, stream_maps=stream_maps)
    assert [reject["reason"] for reject in loaded.rejects()] == ["not_mapped"]
    with open_store(loaded.store_url) as store:
        (profile,) = IdentityRepository(store, MergePolicy()).profiles()
    assert profile.attributes["unsubscribed"] == "yes"


@pytest.mark.parametrize("expression", ["{(1, 2): 3}", "{1, 2}", "1 + 2j", "datetime"])
def test_a_stream_map_with_a_result_that_is_not_json_rejects_its_record(expression: str, tmp_path: Path) -> None:
    stream_maps = {"profiles": {"id": "id", "x": f"{expression} if id == 'a' else id"}}
    loaded = Loaded(tmp_path, SCHEMA, record(id="a"), record(id="b"), stream_maps=stream_maps)
    assert (loaded.ids(), [row["record"] for row in loaded.rejects()]) == (["b"], [{"id": "a"}])


@pytest.mark.parametrize(("deleted", "text"), [(DELETED, "text"), ({**DELETED, "text": None}, "text.strip()")])
def test_a_stream_map_does_not_hide_that_a_row_was_deleted(deleted: dict[str, Any], text: str, tmp_path: Path) -> None:
    columns = ("message_id", "line_id", "text", "send_at")
    schema = {**SCHEMA, "stream": "messages", "schema": {"properties": {name: {} for name in columns}}}
    row = {"message_id": "m", "line_id": line_id(1), "text": "x", "send_at": "2099-01-01"}
    records = [{"type": "RECORD", "stream": "messages", "record": {**row, **last}} for last in ({}, deleted)]
    stream_maps = {"messages": {**{name: name for name in columns}, "text": text, "__else__": None}}
    loaded = Loaded(tmp_path, schema, *records, stream_maps=stream_maps, channel_access_token="t")
    with open_store(loaded.store_url) as store:
        (message,) = listings.deliveries(store, "main")
    assert message["reason"] == "cancelled"


def test_input_that_ends_in_the_middle_of_a_line_passes_no_state_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = TargetLine(config={"store_url": f"sqlite:///{tmp_path / 'store.db'}", "batch_size_rows": 1})
    whole = [SCHEMA, record(id="a"), {"type": "STATE", "value": {"a": 1}}, record(id="b")]
    lines = "".join(json.dumps(message) + "\n" for message in whole) + '{"type":"RECORD","stream":"profiles","rec'
    with pytest.raises(InputError, match="line 5 of the input"):
        target.listen(io.StringIO(lines))
    assert capsys.readouterr().out == ""


def test_bytes_of_a_stream_map_are_text(tmp_path: Path) -> None:
    assert Loaded(tmp_path, SCHEMA, record(id="a"), stream_maps={"profiles": {"id": "b'a'"}}).ids() == ["a"]


@pytest.mark.parametrize("settings", [{"stream_maps": {"*": {"x": "name"}}}, {"flattening_enabled": True}], ids=str)
@pytest.mark.parametrize("odd", [5, True, "x", None, {"type": 5}, {"type": "object", "properties": 5}], ids=str)
def test_an_odd_schema_of_a_property_does_not_disturb_stream_maps_and_flattening(
    odd: object, settings: dict[str, Any], tmp_path: Path
) -> None:
    schema = {**SCHEMA, "schema": {"properties": {"id": {}, "name": odd}}, "key_properties": [5]}
    assert Loaded(tmp_path, schema, record(id="a", name="b"), flattening_max_depth=1, **settings).ids() == ["a"]


def test_a_schema_that_the_sdk_cannot_process_is_one_error(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"flattening_enabled": "true", "flattening_max_depth": "3"}
    with pytest.raises(InputError, match="the SCHEMA message of stream 'profiles' cannot be processed with the settin"):
        Loaded(tmp_path, SCHEMA, **settings)


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_a_record_that_is_no_object_is_a_reject(value: object, tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, SCHEMA, {"type": "RECORD", "stream": "profiles", "record": value}, record(id="a"))
    assert loaded.ids() == ["a"]
    assert [row["record"] for row in loaded.rejects()] == [{"unreadable": json.dumps(value)}]


def test_activate_version_of_a_stream_without_schema_is_ignored(tmp_path: Path) -> None:
    activate = {"type": "ACTIVATE_VERSION", "stream": "other", "version": 1}
    assert Loaded(tmp_path, activate, SCHEMA, record(id="a"), activate).ids() == ["a"]


def test_a_record_before_its_schema_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsWithoutSchemaException, match="stream 'profiles' has records before its SCHEMA message"):
        Loaded(tmp_path, record(id="a"))


@pytest.mark.parametrize(
    ("stream", "columns", "needed"),
    [
        ("profiles", ["name", "city"], "one of id, email, line_id"),
        ("follows", ["line_id"], "type"),
        ("crm_MESSAGES", ["message_id", "id"], "one of messages, text"),
        ("followers", ["user"], "line_id"),
    ],
)
def test_a_stream_whose_records_would_all_be_rejected_ends_the_run(
    stream: str, columns: list[str], needed: str, tmp_path: Path
) -> None:
    schema = {"type": "SCHEMA", "stream": stream, "schema": {"properties": {column: {} for column in columns}}}
    with pytest.raises(InputError, match=f"needs {needed}. Its columns are: {', '.join(columns)}"):
        Loaded(tmp_path, schema, channel_access_token="t")


def test_columns_in_upper_case_are_not_missing(tmp_path: Path) -> None:
    Loaded(tmp_path, {**SCHEMA, "schema": {"properties": {"ID": {}}}})


def test_an_unexpected_error_of_one_record_rejects_this_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def parse(parser: EvidenceParser, values: dict[str, Any]) -> ParsedEvidence:
        if values["id"] == "b":
            raise OverflowError("aoi@example.com")
        return original(parser, values)

    original = EvidenceParser.parse_profile
    monkeypatch.setattr(EvidenceParser, "parse_profile", parse)
    loaded = Loaded(tmp_path, SCHEMA, *(record(id=letter) for letter in "abc"))
    assert loaded.ids() == ["a", "c"]
    assert [row["record"] for row in loaded.rejects()] == [{"id": "b"}]
    assert "OverflowError at parse" in caplog.text
    assert "aoi" not in caplog.text


@pytest.mark.parametrize("error", [OverflowError("too large"), DataError("INSERT", {}, ValueError("value"))])
def test_a_record_that_cannot_be_stored_is_rejected_and_the_rest_of_its_batch_is_stored(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(evidence: Claim) -> str:
        if evidence.identifiers[0].value in "bf":
            raise error
        return encode_record(evidence)

    monkeypatch.setattr("target_line.identity.ingestion.encode_record", encode)
    loaded = Loaded(tmp_path, SCHEMA, *(record(id=letter) for letter in "abcdefg"))
    assert loaded.ids() == ["a", "c", "d", "e", "g"]
    assert sorted(row["record"]["id"] for row in loaded.rejects()) == ["b", "f"]


def test_a_store_that_fails_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(_evidence: Claim) -> str:
        raise OperationalError("INSERT", {}, OSError("the disk is full"))

    monkeypatch.setattr("target_line.identity.ingestion.encode_record", encode)
    with pytest.raises(StoreError, match="the disk is full"):
        Loaded(tmp_path, SCHEMA, record(id="a"))


class TestBatchFiles:
    """BATCH messages: files of records."""

    @pytest.mark.parametrize("compression", [None, "none", "gzip"])
    def test_records_of_a_file_are_processed_as_records_of_the_input(
        self, compression: str | None, tmp_path: Path
    ) -> None:
        content = b'{"id":"a","name":"1"}\n\n{"id":"b","name":"x"}\n{"id":"c","name":"3"}\n[1]\n'
        path = tmp_path / "with blank.jsonl"
        path.write_bytes(gzip.compress(content) if compression == "gzip" else content)
        encoding = {"format": "jsonl", "compression": compression}
        batch = {"type": "BATCH", "stream": "profiles", "encoding": encoding, "manifest": [path.as_uri()]}
        loaded = Loaded(tmp_path, SCHEMA, batch, stream_maps={"profiles": {"name": "int(name)", "id": "id"}})
        assert loaded.ids() == ["a", "c"]
        assert len(loaded.rejects()) == 2

    def test_records_of_a_parquet_file_are_processed_too(self, tmp_path: Path) -> None:
        pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pyarrow.table({"id": ["a", "b"], "name": ["1", None]}), tmp_path / "x.parquet")
        manifest = [(tmp_path / "x.parquet").as_uri()]
        batch = {"type": "BATCH", "stream": "profiles", "encoding": {"format": "parquet"}, "manifest": manifest}
        assert Loaded(tmp_path, SCHEMA, batch).ids() == ["a", "b"]

    @pytest.mark.parametrize(
        ("encoding", "error"),
        [
            ({"format": "csv"}, "the format csv; supported are"),
            ({"format": "jsonl", "compression": "zstd"}, "the format jsonl with compression zstd"),
            ({"format": "jsonl"}, "file 1 of a BATCH message cannot be read: No such file"),
            ({"format": "jsonl", "compression": "gzip"}, "file 1 of a BATCH message cannot be read: No such file"),
        ],
    )
    def test_files_that_cannot_be_read_end_the_run_before_any_state(
        self, encoding: dict[str, Any], error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        manifest = [(tmp_path / "missing.jsonl").as_uri()]
        batch = {"type": "BATCH", "stream": "profiles", "encoding": encoding, "manifest": manifest}
        with pytest.raises(InputError, match=error):
            Loaded(tmp_path, SCHEMA, batch, {"type": "STATE", "value": {"a": 1}})
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("content", "error"),
        [
            (gzip.compress(b'{"id":"a"}' * 99)[:-9], "EOFError"),
            (gzip.compress(b'{"id":"a"}')[:10] + b"\xff" * 20, "file 1 of a BATCH message cannot be read: damaged"),
            (gzip.compress(b'{"id":"a"}\n{"id":"aoi'), "file 1 of a BATCH message: line 2: it has "),
        ],
        ids=["no end", "damaged", "half a line"],
    )
    def test_a_damaged_file_ends_the_run_before_any_state(
        self, content: bytes, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "x.gz").write_bytes(content)
        encoding = {"format": "jsonl", "compression": "gzip"}
        manifest = [(tmp_path / "x.gz").as_uri()]
        batch = {"type": "BATCH", "stream": "profiles", "encoding": encoding, "manifest": manifest}
        with pytest.raises(InputError, match=error) as caught:
            Loaded(tmp_path, SCHEMA, batch, {"type": "STATE", "value": {"a": 1}})
        assert capsys.readouterr().out == ""
        assert "aoi" not in str(caught.value)

    def test_a_manifest_that_is_not_a_list_of_texts_is_one_error(self, tmp_path: Path) -> None:
        batch = {"type": "BATCH", "stream": "profiles", "encoding": {"format": "jsonl"}, "manifest": [None]}
        with pytest.raises(InputError, match="the manifest of the BATCH message of stream 'profiles' is not a list of"):
            Loaded(tmp_path, SCHEMA, batch)


def test_a_run_has_a_row_from_its_start_and_with_the_error_that_ended_it(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        Loaded(tmp_path, SCHEMA, record(id="a"), {"type": "SCHEMA", "stream": "profiles", "schema": {}})
    Loaded(tmp_path, SCHEMA)
    with open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        Run("main", "send").start(store)
        failed, ended, running = listings.runs(store, "main")
    assert failed["error"] == "line 3 of the input: the SCHEMA message of stream 'profiles' has no properties"
    assert (ended["error"], ended["finished_at"] is None) == (None, False)
    assert (running["error"], running["finished_at"]) == (None, None)
