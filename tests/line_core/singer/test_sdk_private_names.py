"""Private names of the Singer SDK that `line_core.singer` depends on, and the failure if one of them changes.

pyproject.toml allows only releases of one minor version of the SDK. Run this test before allowing the next one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from types import FunctionType, ModuleType
from typing import Any

import pytest
import simplejson  # type: ignore[import-untyped]
from singer_sdk import RESTStream, Stream, Tap, Target
from singer_sdk.configuration import _dict_config
from singer_sdk.helpers import _classproperty
from singer_sdk.helpers._util import read_json_file
from singer_sdk.plugin_base import PluginBase
from singer_sdk.sinks import BatchSink, Sink
from singer_sdk.streams._state import StreamStateManager

import tap_line
import target_line

METHODS = [
    (
        Stream,
        "_increment_stream_state",
        ["self", "latest_record", "context"],
        "bookmarks of streams with their own state move with every record",
    ),
    (Stream, "_write_state_message", ["self"], "records stay in the buffer when a STATE message is written"),
    (RESTStream, "_request", ["self", "prepared_request", "context"], "requests are not paced and tokens not renewed"),
    (Sink, "_singer_validate_message", ["self", "record"], "a record without its key ends the run"),
    (Sink, "_parse_timestamps_in_record", ["self", "record", "schema", "treatment"], "timestamps of records change"),
    (Sink, "get_validator", ["self"], "an invalid record ends the run"),
    (Target, "_process_record_message", ["self", "message_dict"], "one failing stream map ends the run"),
    (Target, "_process_schema_message", ["self", "message_dict"], "an odd schema ends the run with a traceback"),
    (Target, "_process_batch_message", ["self", "message_dict"], "records of batch files are lost"),
    (Target, "_process_activate_version_message", ["self", "message_dict"], "an unknown stream ends the run"),
    (Target, "_handle_max_record_age", ["self"], "records stay in the buffer while the input is slow"),
    (BatchSink, "_get_context", ["self", "record"], "records cannot be passed to a sink"),
    (BatchSink, "_after_process_record", ["self", "context"], "batches of records are not counted"),
    (Target, "_handle_termination", ["self", "signum", "frame"], "a signal drains all sinks in the middle of a batch"),
    (PluginBase, "_validate_config", ["self", "raise_errors"], "errors show tracebacks and values of settings"),
    (PluginBase, "get_singer_command", [], "errors show tracebacks"),
    (PluginBase, "cb_config", ["ctx", "param", "value"], "an unreadable configuration file shows a traceback"),
    (PluginBase, "append_builtin_config", ["config_jsonschema"], "built-in settings are rejected"),
    (
        _dict_config,
        "parse_environment_config",
        ["config_schema", "prefix", "dotenv_path"],
        "an environment variable of the wrong form is not named",
    ),
]


@pytest.mark.parametrize(("owner", "name", "parameters", "consequence"), METHODS, ids=[method[1] for method in METHODS])
def test_the_sdk_has_the_private_method(owner: Any, name: str, parameters: list[str], consequence: str) -> None:
    method = getattr(owner, name, None)
    assert method is not None, f"the SDK has no {owner.__name__}.{name} any more: {consequence}"
    assert list(inspect.signature(method).parameters) == parameters, f"{owner.__name__}.{name} changed: {consequence}"


def test_the_sdk_calls_the_private_methods_that_are_overridden() -> None:
    calls: dict[Any, list[str]] = {
        Stream._sync_records: ["_increment_stream_state", "_write_state_message"],
        RESTStream.request_records: ["_request"],
        Target.process_lines: ["_process_record_message", "_process_batch_message"],
        Target._process_record_message: [
            *("_singer_validate_message", "sink._get_context(", "sink.tally_record_read()", "sink.process_record("),
            *("sink.record_counter_metric.increment()", "sink._after_process_record(", "self._handle_max_record_age()"),
        ],
        Sink._validate_and_parse: ["_parse_timestamps_in_record"],
        PluginBase._setup_signal_handlers: ["_handle_termination"],
        PluginBase.__init__: ["_env_var_config", "_validate_config"],
    }
    for caller, names in calls.items():
        for name in names:
            assert name in inspect.getsource(caller), f"{caller.__qualname__} does not call {name} any more"


def test_a_stream_keeps_its_tap_in_a_private_attribute() -> None:
    assert "self._tap = tap" in inspect.getsource(Stream.__init__)


def test_a_stream_writes_no_state_message_while_its_state_is_flushed() -> None:
    assert "state_manager.is_flushed" in inspect.getsource(Stream._write_state_message)
    assert "is_flushed" in inspect.getsource(StreamStateManager)


def test_settings_from_the_environment_are_a_class_property() -> None:
    for name in ("_env_var_prefix", "_env_var_config"):
        assert isinstance(inspect.getattr_static(PluginBase, name), _classproperty.classproperty), name
    assert "self._config = " in inspect.getsource(PluginBase.__init__)


def test_the_sdk_reads_json_files_with_simplejson(tmp_path: Any) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(simplejson.JSONDecodeError):
        read_json_file(tmp_path / "broken.json")


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return [importlib.import_module(name) for name in names]


@pytest.mark.parametrize("package", [tap_line, target_line], ids=["tap_line", "target_line"])
def test_tap_and_target_use_no_private_name_of_the_sdk(package: ModuleType) -> None:
    found = []
    for module in _modules(package):
        for item in vars(module).values():
            if not (isinstance(item, type) and item.__module__ == module.__name__):
                continue
            bases = [base for base in (Stream, RESTStream, Sink, BatchSink, Tap, Target) if issubclass(item, base)]
            names = [name for name in vars(item) if name.startswith("_") and not name.startswith("__")]
            found += [
                f"{item.__qualname__}.{name}"
                for name in names
                if any(isinstance(getattr(base, name, None), FunctionType | property | classmethod) for base in bases)
            ]
        found += re.findall(r"singer_sdk[\w.]*\._\w+|self\._tap\b|_env_var_config", inspect.getsource(module))
    assert found == [], "use a public hook of line_core.singer.hooks"
