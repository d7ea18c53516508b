"""The test suite of the SDK for targets. All its streams have the role profiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import singer_sdk.testing
from singer_sdk.testing import get_target_test_class

from target_line.intake.roles import Role
from target_line.target import TargetLine

if TYPE_CHECKING:
    from singer_sdk.testing.runners import TargetTestRunner

_FILES = Path(singer_sdk.testing.__file__).parent / "target_test_streams"


def _streams() -> set[str]:
    lines = [line for file in _FILES.glob("*.singer") for line in file.read_text().splitlines() if line.strip()]
    return {message["stream"] for message in map(json.loads, lines) if "stream" in message}


# Profiles need an identifier, which the records of these streams do not have.
_ADDED_IDS = {
    "test:SpecialChars!in?attributes": {"id": "_id"},
    "test_object_schema_with_properties": {"id": "'c-1'"},
    "test_object_schema_no_properties": {"id": "'c-2'"},
}
CONFIG = {
    "store_url": "sqlite://",
    "stream_roles": dict.fromkeys(sorted(_streams()), Role.PROFILES.value),
    "stream_maps": _ADDED_IDS,
}

_Suite: Any = get_target_test_class(TargetLine, config=CONFIG)


class TestTargetLine(_Suite):  # type: ignore[misc]  # the SDK creates the class at run time
    """All tests of the SDK, each with an empty store."""

    @pytest.fixture
    def config(self, sqlite_url: str) -> dict[str, Any]:
        """Settings with a separate store for each test."""
        return {**CONFIG, "store_url": sqlite_url}

    @pytest.mark.xfail(reason="a record without its key is a reject and does not end the run", strict=True)
    def test_target_record_missing_key_property(
        self, config: dict[str, Any], resource: Any, runner: TargetTestRunner
    ) -> None:
        """The SDK expects that the run ends."""
        super().test_target_record_missing_key_property(config, resource, runner)
