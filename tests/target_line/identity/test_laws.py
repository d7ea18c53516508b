"""Laws of the merge rules that hold for every set of records, tested on the rules as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from line_core.identity.rules import resolve
from tests.support.identity_evidence import evidence_of, policy_of, profiles_of, suppressed
from tests.support.identity_histories import (
    IDS,
    LINE_IDS,
    RECIPIENTS,
    arrivals,
    dated_histories,
    histories,
    merge_settings,
    plain_histories,
    plain_records,
    profile_records,
    rejected_records,
)
from tests.support.identity_model_records import Records, Settings, consent

if TYPE_CHECKING:
    import random

    from tests.support.identity_histories import Record
    from tests.support.identity_model_records import Claim, Known

pytestmark = pytest.mark.sweep


@pytest.fixture
def examples(*, is_long: bool) -> settings:
    """Return the number of examples of a law."""
    return settings(max_examples=2500 if is_long else 150)


def profiles_with_ids(records: list[Record], with_settings: Settings) -> list[tuple[Known, dict[str, Any]]]:
    """Return the profiles that have an id, with it."""
    profiles = profiles_of(records, with_settings)
    return [(("id", profile["id"]), profile) for profile in profiles if profile["id"] in IDS]


def link_times(claims: list[Claim], person: Known) -> dict[str, float]:
    """Return the LINE IDs that records with an id name, with the newest time at which they were linked."""
    times: dict[str, float] = {}
    for claim in claims:
        for kind, value in claim.identifiers if person in claim.identifiers else ():
            if kind == "line_id":
                times[value] = max(claim.link_time, times.get(value, claim.link_time))
    return times


def others_claim(claims: list[Claim], identifier: Known, person: Known, profile: dict[str, Any]) -> bool:
    """Return whether a record of another identifier of the same profile claims an identifier."""
    emails = {profile["email"], *profile["aliases"]["emails"]}
    return any(
        identifier in claim.identifiers and person not in claim.identifiers and email in claim.identifiers
        for claim in claims
        for email in (("email", value) for value in emails)
    )


def line_ids_of(profile: dict[str, Any]) -> set[str]:
    return {account["line_id"] for account in profile["line_ids"]}


_PLAIN_SETTINGS = st.builds(
    Settings,
    identifier_conflict=st.sampled_from(["latest", "first", "reject"]),
    suppression_attributes=st.just(("unsubscribed",)),
)


def test_no_record_takes_a_suppression_away_except_an_explicit_no(examples: settings) -> None:
    additions = st.tuples(plain_histories, plain_records, _PLAIN_SETTINGS) | st.tuples(
        histories, profile_records | rejected_records, merge_settings()
    )

    @examples
    @given(additions)
    def check(addition: tuple[list[Record], Record, Settings]) -> None:
        records, added, with_settings = addition
        (claim,) = Records([added], with_settings).claims or Records([added], with_settings).rejected or (None,)
        assume(claim is not None and not any(consent(value) == "no" for _, value in claim.answers))
        more = [*records, added]
        assume(evidence_of(more, with_settings).shared == evidence_of(records, with_settings).shared)
        before = suppressed(records, with_settings, RECIPIENTS)
        assert before <= suppressed(more, with_settings, RECIPIENTS)

    check()


def test_profiles_merges_and_rejects_do_not_depend_on_order_and_repetition(examples: settings) -> None:
    @examples
    @given(dated_histories, st.randoms(use_true_random=False), merge_settings())
    def check(records: list[Record], chance: random.Random, with_settings: Settings) -> None:
        policy = policy_of(with_settings)
        (arrived,) = arrivals(records, chance, 1)
        expected = resolve(evidence_of(records, with_settings), policy)
        assert resolve(evidence_of(arrived, with_settings), policy) == expected

    check()


def test_messages_to_an_id_go_to_the_line_id_that_its_newest_records_name(examples: settings) -> None:
    @examples
    @given(dated_histories, merge_settings(identifier_precedence=Settings().identifier_precedence))
    def check(records: list[Record], with_settings: Settings) -> None:
        default_order = Settings(
            **{**vars(with_settings), "canonical_line_id": Settings().canonical_line_id, "null_identifiers": "ignore"}
        )
        claims = Records(records, default_order).claims
        for person, profile in profiles_with_ids(records, default_order):
            times = link_times(claims, person)
            reachable = {
                account["line_id"] for account in profile["line_ids"] if account["follow_state"] != "unfollowed"
            }
            newest = {line_id for line_id, time in times.items() if time == max(times.values())} & reachable
            assert not newest or profile["line_id"] in newest

    check()


def test_a_superseded_line_id_leaves_the_profile_as_soon_as_somebody_else_uses_it(examples: settings) -> None:
    @examples
    @given(dated_histories, merge_settings(identifier_precedence=Settings().identifier_precedence))
    def check(records: list[Record], with_settings: Settings) -> None:
        claims = Records(records, with_settings).claims
        for person, profile in profiles_with_ids(records, with_settings):
            times = link_times(claims, person)
            for line_id in line_ids_of(profile) & times.keys():
                is_superseded = times[line_id] < max(times.values())
                is_used = any(
                    ("line_id", line_id) in claim.identifiers
                    and person not in claim.identifiers
                    and len(claim.identifiers) > 1
                    and claim.link_time > times[line_id]
                    for claim in claims
                )
                assert not (is_superseded and is_used) or others_claim(claims, ("line_id", line_id), person, profile)

    check()


def test_a_null_ends_the_links_to_older_line_ids_where_nulls_clear(examples: settings) -> None:
    clearing = {"identifier_precedence": Settings().identifier_precedence, "null_identifiers": "clear"}

    @examples
    @given(dated_histories, merge_settings(**clearing))
    def check(records: list[Record], with_settings: Settings) -> None:
        claims = Records(records, with_settings).claims
        for person, profile in profiles_with_ids(records, with_settings):
            times = link_times(claims, person)
            ends = [claim.time for claim in claims if person in claim.identifiers and "line_id" in claim.empty_kinds]
            for line_id in line_ids_of(profile) & times.keys() & set(LINE_IDS):
                is_ended = any(end > times[line_id] for end in ends)
                assert not is_ended or others_claim(claims, ("line_id", line_id), person, profile)

    check()
