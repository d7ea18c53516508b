"""The slow model of docs/identity.md gives the results of the examples of that page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.identity_model import IdentityModel
from tests.support.identity_model_records import Settings
from tests.target_line.identity.test_docs import Example, examples

if TYPE_CHECKING:
    from collections.abc import Sequence


def as_lines(profiles: Sequence[dict[str, Any]]) -> list[str]:
    """Return profiles as sorted JSON texts: 1, 1.0 and true differ."""
    return sorted(json.dumps(profile, sort_keys=True) for profile in profiles)


@pytest.mark.parametrize("example", list(examples()))
def test_the_model_gives_the_results_of_the_page(example: Example) -> None:
    records = [(record.pop("stream"), record) for record in example.records]
    model = IdentityModel(records, Settings(**example.settings))
    assert as_lines(model.profiles()) == as_lines([json.loads(profile) for profile in example.profiles])
