"""The SDK's own test suite for taps."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_line.tap import TapLine

# The suite reads the settings on import. The fixture adds the sandbox's address later.
CONFIG: dict[str, Any] = {"channel_access_token": "sandbox-token"}

# The suite warns about columns that no record has. Many columns exist only for some event types.
pytestmark = pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")


@pytest.fixture(scope="module", autouse=True)
def _settings(seeded_settings: dict[str, Any]) -> None:
    CONFIG.update(seeded_settings)


TestTapLine = get_tap_test_class(
    TapLine,
    config=CONFIG,
    suite_config=SuiteConfig(max_records_limit=120),
    parse_env_config=False,
)
