"""The program gives the profiles and decisions of the slow model of docs/identity.md, and keeps the model's laws."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.identity_evidence import profiles_of
from tests.support.identity_histories import (
    RECIPIENTS,
    arrivals,
    dated_histories,
    histories,
    merge_settings,
)
from tests.support.identity_model import IdentityModel
from tests.support.identity_model_records import Settings
from tests.support.identity_program import LoadedIdentities
from tests.target_line.identity.test_docs import Example, examples

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.identity_histories import Record
    from tests.support.identity_model import Message
    from tests.support.identity_model_records import Known

    Load = Callable[..., "Results"]


class Results(NamedTuple):
    """What the program made of records."""

    profiles: list[str]
    messages: dict[Known, Message]
    """Decisions about messages by recipient."""
    counts: tuple[int, int]
    """Numbers of profiles that were created and merged."""


def as_lines(profiles: Sequence[dict[str, Any]]) -> list[str]:
    """Return profiles as sorted JSON texts: 1, 1.0 and true differ."""
    return sorted(json.dumps(profile, sort_keys=True) for profile in profiles)


@pytest.fixture
def load(new_sqlite_store: Callable[[Path], str], tmp_path: Path) -> Load:
    """A function that loads records into a new store, and returns the program's profiles and decisions."""

    def load_into_new_store(
        runs: Sequence[Sequence[Record]], with_settings: Settings, before: Sequence[Record] = (), **config: Any
    ) -> Results:
        url = new_sqlite_store(tmp_path / "store.db")
        if before:
            LoadedIdentities.load(url, [before], Settings()).close()
        loaded = LoadedIdentities.load(url, runs, with_settings, **config)
        try:
            return Results(as_lines(loaded.profiles()), loaded.messages_to(RECIPIENTS), loaded.counts)
        finally:
            loaded.close()
            for file in tmp_path.glob("store.db*"):
                file.unlink()

    return load_into_new_store


def assert_equal(model: IdentityModel, results: Results) -> None:
    assert results.profiles == as_lines(model.profiles())
    for recipient, message in results.messages.items():
        expected = model.message_to(recipient)
        if expected.outcome == "suppressed" and message.outcome in {"unfollowed", "no_line_id"}:
            continue  # two reasons prevent the message
        assert message == expected, recipient


@pytest.mark.parametrize("example", list(examples()))
def test_the_model_gives_the_results_of_the_page(example: Example) -> None:
    records = [(record.pop("stream"), record) for record in example.records]
    model = IdentityModel(records, Settings(**example.settings))
    assert as_lines(model.profiles()) == as_lines([json.loads(profile) for profile in example.profiles])


@pytest.mark.sweep
def test_the_rules_give_the_profiles_of_the_model(*, is_long: bool) -> None:
    @settings(max_examples=3000 if is_long else 150)
    @given(histories, merge_settings())
    def check(records: list[Record], with_settings: Settings) -> None:
        expected = IdentityModel(records, with_settings).profiles()
        assert as_lines(profiles_of(records, with_settings)) == as_lines(expected)

    check()


@pytest.mark.sweep
def test_the_program_gives_the_results_of_the_model(load: Load, *, is_long: bool) -> None:
    @settings(max_examples=600 if is_long else 20)
    @given(histories, merge_settings())
    def check(records: list[Record], with_settings: Settings) -> None:
        model, results = IdentityModel(records, with_settings), load([records], with_settings)
        assert_equal(model, results)
        assert results.counts == model.counts()

    check()


@pytest.mark.sweep
def test_any_order_repetition_batch_size_and_cut_into_runs_gives_the_results_of_the_model(
    load: Load, *, is_long: bool
) -> None:
    @settings(max_examples=600 if is_long else 20)
    @given(dated_histories, st.randoms(use_true_random=False), st.integers(1, 3), st.integers(1, 5), merge_settings())
    def check(records: list[Record], chance: random.Random, runs: int, batch: int, with_settings: Settings) -> None:
        model = IdentityModel(records, with_settings)
        results = load(arrivals(records, chance, runs), with_settings, batch_size_rows=batch)
        assert_equal(model, results)
        assert results.counts == model.counts()

    check()


@pytest.mark.sweep
def test_changed_settings_apply_to_the_stored_records_at_the_start_of_the_next_run(
    load: Load, *, is_long: bool
) -> None:
    @settings(max_examples=600 if is_long else 20)
    @given(dated_histories, merge_settings(null_identifiers="ignore", suppression_attributes=("unsubscribed",)))
    def check(records: list[Record], new: Settings) -> None:
        assert_equal(IdentityModel(records, new), load([[]], new, before=records))

    check()
