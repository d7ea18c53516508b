"""Merge rules as pure functions of evidence."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_core.consent import consent_of
from line_core.follow_state import FollowState
from line_core.identity.codec import decode_evidence, encode_evidence
from line_core.identity.model import (
    UNDATED,
    Claim,
    Correction,
    CorrectionKind,
    DatedValue,
    Evidence,
    Identifier,
    IdentifierKind,
    RefusedOptOut,
)
from line_core.identity.policy import AttributeConflict, CanonicalCriterion, IdentifierConflict, MergePolicy
from line_core.identity.results import MergeRule, Profile, RejectedIdentifier, RejectionReason
from line_core.identity.rules import Resolution, resolve
from tests.support import people
from tests.support.people import evidence_of, follow, identify, line_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from line_core.identity.model import EvidenceRecord


def resolution(*records: EvidenceRecord, policy: MergePolicy | None = None) -> Resolution:
    """Resolve the records, and check that their order does not matter."""
    outcomes = [
        resolve(evidence_of(*order), policy or MergePolicy())
        for order in itertools.islice(itertools.permutations(records), 120)
    ]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


def by_id(result: Resolution, value: str) -> Profile:
    return result.profile_of(Identifier(IdentifierKind.ID, "", value))


def line_ids(profile: Profile) -> list[str]:
    return [account.line_id for account in profile.line_accounts]


def test_a_follow_of_an_unknown_line_id_creates_an_anonymous_profile() -> None:
    (profile,) = resolution(follow(1, at=1)).profiles
    assert (profile.id, profile.email) == (None, None)
    assert [(account.line_id, account.follow_state) for account in profile.line_accounts] == [
        (line_id(1), FollowState.FOLLOWING),
    ]


def test_an_unfollow_updates_the_follow_state_and_deletes_nothing() -> None:
    (profile,) = resolution(follow(1, at=1), follow(1, at=2, type_="unfollow")).profiles
    assert profile.line_accounts[0].follow_state is FollowState.UNFOLLOWED


def test_an_unfollow_wins_over_a_follow_of_the_same_time() -> None:
    (profile,) = resolution(follow(1, at=1), follow(1, at=1, type_="unfollow")).profiles
    assert profile.line_accounts[0].follow_state is FollowState.UNFOLLOWED


def test_an_anonymous_profile_merges_into_the_profile_that_claims_its_line_id() -> None:
    result = resolution(follow(1, at=1), identify(at=2, id="a", line=1, plan="gold"))
    (profile,) = result.profiles
    assert profile.id == "a"
    assert line_ids(profile) == [line_id(1)]
    assert profile.attributes == {"plan": "gold"}
    (merge,) = result.merges
    assert merge.rule is MergeRule.ANONYMOUS_IDENTIFIED
    assert str(merge.survivor) == "id:a"
    assert str(merge.absorbed) == f"line_id:default/{line_id(1)}"


def test_a_profile_with_an_email_merges_into_the_profile_with_an_id_that_claims_the_email() -> None:
    result = resolution(
        identify(at=1, email="X@Example.com ", city="Osaka"),
        identify(at=2, id=7, email="x@example.com", line=1),
    )
    (profile,) = result.profiles
    assert (profile.id, profile.email) == ("7", "x@example.com")
    assert profile.attributes == {"city": "Osaka"}
    assert {merge.rule for merge in result.merges} == {MergeRule.EMAIL_IDENTIFIED}


def test_of_several_emails_the_one_that_the_newest_record_names_is_shown() -> None:
    result = resolution(
        identify(at=2, id="a", email="new@example.com"), identify(at=1, id="a", email="old@example.com")
    )
    (profile,) = result.profiles
    assert (profile.email, profile.former_emails) == ("new@example.com", ("old@example.com",))


def test_profiles_with_different_ids_never_merge() -> None:
    result = resolution(identify(at=1, id="a", email="x@example.com"), identify(at=2, id="b", email="x@example.com"))
    assert {profile.id for profile in result.profiles} == {"a", "b"}


@pytest.mark.parametrize(("conflict", "keeper"), [("latest", "b"), ("first", "a")])
def test_identifier_conflict_decides_between_two_ids_that_claim_a_line_id(conflict: str, keeper: str) -> None:
    policy = MergePolicy(conflict=IdentifierConflict(conflict))
    result = resolution(identify(at=1, id="a", line=1), identify(at=2, id="b", line=1), policy=policy)
    loser = {"a": "b", "b": "a"}[keeper]
    assert line_ids(by_id(result, keeper)) == [line_id(1)]
    assert line_ids(by_id(result, loser)) == []
    (merge,) = result.merges
    assert (merge.rule, str(merge.survivor), str(merge.absorbed)) == (
        MergeRule.IDENTIFIER_MOVED,
        f"id:{keeper}",
        f"id:{loser}",
    )


def test_links_to_emails_are_applied_before_links_to_line_ids() -> None:
    result = resolution(
        identify(at=1, id="b", email="x@example.com"),
        identify(at=5, email="x@example.com", line=1),
        identify(at=2, id="a", email="y@example.com"),
        identify(at=6, email="y@example.com", line=1),
    )
    assert line_ids(by_id(result, "a")) == [line_id(1)]
    assert by_id(result, "b").email == "x@example.com"


def test_a_line_id_that_an_id_claims_is_not_given_to_an_email_that_claims_it_later() -> None:
    result = resolution(
        identify(at=1, id="b", email="x@example.com"),
        identify(at=2, id="a", line=1),
        identify(at=5, email="x@example.com", line=1),
    )
    assert line_ids(by_id(result, "a")) == [line_id(1)]
    assert line_ids(by_id(result, "b")) == []


def test_identifier_precedence_decides_which_identifier_is_the_key() -> None:
    records = [identify(at=1, id="a", email="x@example.com", line=1)]
    email_first = MergePolicy(precedence=(IdentifierKind.EMAIL, IdentifierKind.ID, IdentifierKind.LINE_ID))
    assert resolution(*records).profiles[0].key.kind is IdentifierKind.ID
    assert resolution(*records, policy=email_first).profiles[0].key.kind is IdentifierKind.EMAIL


def test_the_newest_value_of_an_attribute_wins_and_null_removes_it() -> None:
    (profile,) = resolution(
        identify(at=1, id="a", plan="free", city="Osaka", tier=1),
        identify(at=2, id="a", plan="gold", tier=None),
        identify(at=3, id="a"),
    ).profiles
    assert profile.attributes == {"plan": "gold", "city": "Osaka"}


def test_at_the_same_time_the_attribute_of_the_survivor_wins() -> None:
    (profile,) = resolution(
        identify(at=2, email="x@example.com", plan="zzz"),
        identify(at=2, id="a", plan="free"),
        identify(at=1, id="a", email="x@example.com"),
    ).profiles
    assert profile.attributes == {"plan": "free"}


def test_undated_records_are_older_than_dated_ones() -> None:
    (profile,) = resolution(identify(id="a", plan="gold"), identify(at=1, id="a", plan="free")).profiles
    assert profile.attributes == {"plan": "free"}


def test_the_canonical_line_id_is_the_latest_identified_that_is_not_known_to_have_left() -> None:
    claims = [identify(at=number, id="a", line=number) for number in (1, 2, 3)]
    assert resolution(*claims).profiles[0].canonical["default"].line_id == line_id(3)
    with_follow = resolution(*claims, follow(1, at=1))
    assert with_follow.profiles[0].canonical["default"].line_id == line_id(3)
    after_unfollow = resolution(*claims, follow(3, at=1, type_="unfollow"))
    assert after_unfollow.profiles[0].canonical["default"].line_id == line_id(2)


@given(people.histories(), people.policies(), st.randoms())
def test_the_order_and_repetition_of_records_change_nothing(
    history: list[EvidenceRecord], policy: MergePolicy, random: Random
) -> None:
    shuffled = [*history, *history[::2]]
    random.shuffle(shuffled)
    assert resolve(evidence_of(*history), policy) == resolve(evidence_of(*shuffled), policy)


@given(people.histories(), st.integers(min_value=0, max_value=12))
def test_merged_parts_of_evidence_equal_the_whole(history: list[EvidenceRecord], split: int) -> None:
    parts = evidence_of(*history[split:])
    parts.merge(evidence_of(*history[:split]))
    assert parts == evidence_of(*history)


@given(people.histories())
def test_encoded_evidence_decodes_to_the_same_evidence(history: list[EvidenceRecord]) -> None:
    evidence = evidence_of(*history)
    assert decode_evidence(encode_evidence(evidence)) == evidence


@given(people.histories(), people.policies())
def test_every_identifier_is_in_exactly_one_profile_within_the_limits(
    history: list[EvidenceRecord], policy: MergePolicy
) -> None:
    evidence = evidence_of(*history)
    result = resolve(evidence, policy)
    named = [identifier for profile in result.profiles for identifier in profile.identifiers]
    assert sorted(named) == sorted(evidence.people())
    for profile in result.profiles:
        kinds = [identifier.kind for identifier in profile.identifiers]
        assert kinds.count(policy.precedence[0]) <= 1
        assert kinds.count(profile.key.kind) == 1, "several identifiers of a kind have a stronger one in common"
        assert kinds.count(IdentifierKind.LINE_ID) <= policy.max_line_ids
        assert profile.key in profile.identifiers
        for correction in evidence.corrections:
            names = set(correction.identifiers)
            if correction.kind is CorrectionKind.SEPARATE:
                assert not names <= profile.identifiers
            elif correction.kind is CorrectionKind.DETACH and names <= profile.identifiers:
                assert profile.identifiers == names
        assert set(profile.canonical) == {account.provider for account in profile.line_accounts}


def says(record: Claim | RefusedOptOut) -> bool | None:
    dated = record.attributes.get("unsubscribed")
    return consent_of(dated.value) if dated else None


def connected(identifiers: frozenset[Identifier], records: list[Claim | RefusedOptOut]) -> frozenset[Identifier]:
    """Return the identifiers, and all that records name together with one of them, and so on."""
    named = identifiers.union(*(record.identifiers for record in records if identifiers & set(record.identifiers)))
    return named if named == identifiers else connected(named, records)


@given(people.histories(), people.policies())
def test_a_person_is_suppressed_until_the_source_of_each_opt_out_says_no_later(
    history: list[EvidenceRecord], policy: MergePolicy
) -> None:
    records = [record for record in history if isinstance(record, Claim | RefusedOptOut)]
    records = [record for record in records if isinstance(record, Claim) or says(record) is not None]

    def stands(record: Claim | RefusedOptOut) -> bool:
        source = min(record.identifiers, key=policy.rank)
        at = record.attributes["unsubscribed"].at
        return not any(
            says(other) is False
            and other.attributes["unsubscribed"].at > at
            and min(other.identifiers, key=policy.rank) == source
            for other in records
        )

    opted_out = {
        name for record in records if says(record) and stands(record) for name in record.identifiers if policy.opt_outs
    }
    found = resolve(evidence_of(*history), policy)
    for profile in (*found.profiles, *found.opted_out):
        is_suppressed = not opted_out.isdisjoint(connected(profile.identifiers, records))
        assert is_suppressed or profile in found.profiles
        if policy.opt_outs:
            assert (consent_of(profile.attributes.get("unsubscribed")) is True) == is_suppressed


@given(people.histories(), people.policies(), st.randoms(), st.integers(0, 5))
def test_withdrawn_records_do_not_count_also_when_they_are_loaded_again(
    history: list[EvidenceRecord], policy: MergePolicy, random: Random, minutes: int
) -> None:
    claims = [record for record in history if isinstance(record, Claim)]
    if not claims:
        return
    at = next((claim.last_at for claim in claims if claim.last_at != UNDATED), UNDATED) if minutes else UNDATED
    withdrawn = Correction(CorrectionKind.WITHDRAW, claims[0].identifiers, at)
    kept = [
        record
        for record in history
        if not isinstance(record, Claim) or (record.identifiers, record.last_at) != (claims[0].identifiers, at)
    ]
    kept = [
        record
        for record in kept
        if not isinstance(record, RefusedOptOut)
        or record.identifiers != claims[0].identifiers
        or record.attributes["unsubscribed"].at != at
    ]
    again = [*history]
    random.shuffle(again)
    expected = resolve(evidence_of(withdrawn, *kept), policy)
    assert resolve(evidence_of(withdrawn, *history), policy) == expected
    assert resolve(evidence_of(*again, withdrawn, *again), policy) == expected


@given(people.histories(), people.policies(), st.sampled_from(["a", "b"]), st.integers(1, 4))
def test_a_separation_of_unmerged_identifiers_changes_no_profile(
    history: list[EvidenceRecord], policy: MergePolicy, one: str, line: int
) -> None:
    before = resolve(evidence_of(*history), policy)
    after = resolve(evidence_of(*history, people.separation(one, line)), policy)
    separated = evidence_of(people.separation(one, line)).identifiers()
    merged = [profile for profile in before.profiles if profile.identifiers >= separated]
    if not merged and separated <= {name for profile in before.profiles for name in profile.identifiers}:
        assert {profile.identifiers for profile in before.profiles} == {
            profile.identifiers for profile in after.profiles
        }


def test_with_reject_an_identifier_that_two_ids_claim_belongs_to_neither() -> None:
    claims = identify(at=1, id="a", line=1), identify(at=2, id="b", line=1), identify(at=2, id="b", line=2)
    found = resolve(evidence_of(*claims), MergePolicy(conflict=IdentifierConflict.REJECT))
    contested = Identifier(IdentifierKind.LINE_ID, "default", line_id(1))
    a, b = Identifier(IdentifierKind.ID, "", "a"), Identifier(IdentifierKind.ID, "", "b")
    assert found.profile_of(contested).identifiers == {contested}
    assert found.profile_of(contested).is_contested
    assert not found.profile_of(b).is_contested
    assert found.profile_of(b).canonical["default"].line_id == line_id(2)
    assert found.rejected_identifiers == {
        RejectedIdentifier(RejectionReason.AMBIGUOUS_IDENTITY, a, contested),
        RejectedIdentifier(RejectionReason.AMBIGUOUS_IDENTITY, b, contested),
    }


def test_with_reject_all_links_of_a_contested_email_are_ignored() -> None:
    claims = (
        identify(at=1, id="a", email="x@example.com"),
        identify(at=2, id="b", email="x@example.com"),
        identify(at=3, email="x@example.com", line=1),
        identify(at=4, id="a", line=1),
    )
    found = resolution(*claims, policy=MergePolicy(conflict=IdentifierConflict.REJECT))
    contested = found.profile_of(Identifier(IdentifierKind.EMAIL, "", "x@example.com"))
    assert contested.is_contested
    assert len(contested.identifiers) == 1
    assert line_ids(by_id(found, "a")) == [line_id(1)]
    assert not by_id(found, "a").is_contested
    assert {(str(item.claimed_by), item.identifier.kind.value) for item in found.rejected_identifiers} == {
        ("id:a", "email"),
        ("id:b", "email"),
        ("email:x@example.com", "line_id"),
    }


def test_a_profile_gets_the_newest_line_ids_up_to_the_maximum() -> None:
    claims = [identify(at=line, id="a", line=line) for line in range(1, 5)]
    found = resolve(evidence_of(*claims), MergePolicy(max_line_ids=2))
    assert [account.line_id for account in found.profile_of(Identifier(IdentifierKind.ID, "", "a")).line_accounts] == [
        line_id(3),
        line_id(4),
    ]
    assert {(rejected.reason, rejected.identifier.value) for rejected in found.rejected_identifiers} == {
        (RejectionReason.TOO_MANY_LINE_IDS, line_id(1)),
        (RejectionReason.TOO_MANY_LINE_IDS, line_id(2)),
    }


def test_with_survivor_other_records_fill_only_attributes_that_the_survivor_lacks() -> None:
    claims = (
        identify(at=1, id="a", email="x@example.com", plan="gold", city=None),
        identify(at=5, email="x@example.com", plan="free", city="Osaka", tier="b"),
    )
    (newest,) = resolve(evidence_of(*claims), MergePolicy()).profiles
    (own,) = resolve(evidence_of(*claims), MergePolicy(attributes=AttributeConflict.SURVIVOR)).profiles
    assert newest.attributes == {"plan": "free", "city": "Osaka", "tier": "b"}
    assert own.attributes == {"plan": "gold", "city": "Osaka", "tier": "b"}


def test_an_opt_out_survives_a_merge_until_the_same_identifier_withdraws_it() -> None:
    opted_out = identify(at=1, email="x@example.com", unsubscribed=True)
    joined = identify(at=2, id="a", email="x@example.com", unsubscribed=False)
    assert resolution(opted_out, joined).profiles[0].attributes == {"unsubscribed": True}
    withdrawn = identify(at=3, email="x@example.com", unsubscribed=False)
    assert resolution(opted_out, joined, withdrawn).profiles[0].attributes == {"unsubscribed": False}


def test_an_opt_out_stays_with_the_person_and_with_every_identifier_that_moves_away() -> None:
    opted_out = identify(at=1, email="x@example.com", unsubscribed=True)
    claims = identify(at=1, id="a", line=1), identify(at=1, id="a", email="x@example.com")
    moved = identify(at=2, id="b", line=1), identify(at=3, id="c", email="x@example.com", unsubscribed=False)
    found = resolution(opted_out, *claims, *moved)
    assert line_ids(by_id(found, "b")) == [line_id(1)]
    assert [by_id(found, id_).attributes for id_ in "abc"] == [{"unsubscribed": True}] * 3


def test_a_rejected_opt_out_counts_for_its_identifiers_and_creates_no_profile() -> None:
    at = DatedValue(UNDATED, True)
    names = tuple(Identifier(IdentifierKind.LINE_ID, "default", line_id(number)) for number in (1, 2))
    refused = RefusedOptOut(names, {"unsubscribed": at})
    found = resolution(refused, identify(at=1, id="a", line=1))
    assert [(profile.id, profile.attributes) for profile in found.profiles] == [("a", {"unsubscribed": True})]
    assert [(profile.key, profile.attributes) for profile in found.opted_out] == [(names[1], {"unsubscribed": True})]


def test_an_opt_out_follows_a_line_id_through_any_number_of_owners() -> None:
    opted_out = identify(email="x@example.com", unsubscribed=True), identify(id="a", email="x@example.com")
    owners = [identify(at=number, id=id_, line=1) for number, id_ in enumerate("abcd")]
    found = resolution(*opted_out, *owners)
    assert line_ids(by_id(found, "d")) == [line_id(1)]
    assert [by_id(found, id_).attributes for id_ in "abcd"] == [{"unsubscribed": True}] * 4


@pytest.mark.parametrize(("at", "is_suppressed"), [(1, True), (2, True), (3, False)])
def test_a_rejected_no_takes_back_an_older_yes_of_its_source_only(at: int, is_suppressed: bool) -> None:
    said = identify(at=at, id="a", unsubscribed=False)
    assert isinstance(said, Claim)
    refused = RefusedOptOut(said.identifiers, said.attributes)
    found = resolution(identify(at=2, id="a", unsubscribed=True), refused)
    assert found.profiles[0].attributes == ({"unsubscribed": True} if is_suppressed else {})


def test_the_criteria_of_the_policy_choose_the_canonical_line_id_in_their_order() -> None:
    history = (
        identify(at=5, id="a", line=1),
        identify(at=1, id="a", line=2),
        follow(1, at=1),
        follow(1, at=6, type_="unfollow"),
        follow(2, at=2),
    )

    def canonical(*criteria: CanonicalCriterion) -> str:
        (profile,) = resolve(evidence_of(*history), MergePolicy(canonical=criteria)).profiles
        return profile.canonical["default"].line_id

    assert canonical(*CanonicalCriterion) == line_id(2)
    assert canonical(CanonicalCriterion.LATEST_IDENTIFIED) == line_id(1)
    assert canonical(CanonicalCriterion.LATEST_FOLLOWED) == line_id(2)
    assert canonical() == line_id(1), "without criteria, the smallest wins"


def test_a_separation_undoes_a_merge_permanently_and_returns_a_moved_identifier() -> None:
    anonymous, known = follow(1, at=1), identify(at=2, id="a", line=1)
    separated = resolution(anonymous, known, people.separation("a", 1), identify(at=9, id="a", line=1))
    assert [profile.key.kind for profile in separated.profiles] == [IdentifierKind.ID, IdentifierKind.LINE_ID]
    assert separated.merges == frozenset()
    moved = identify(at=1, id="a", line=1), identify(at=2, id="b", line=1)
    returned = resolution(*moved, people.separation("b", 1))
    assert returned.profile_of(Identifier(IdentifierKind.LINE_ID, "default", line_id(1))).id == "a"


def test_empty_evidence_has_no_profiles() -> None:
    assert resolve(Evidence(), MergePolicy()) == Resolution((), frozenset())


def chain(links: int) -> list[tuple[Identifier, ...]]:
    """Each email is claimed by two ids, and each id claims two emails."""
    ids = [Identifier(IdentifierKind.ID, "", str(number)) for number in range(links)]
    emails = [Identifier(IdentifierKind.EMAIL, "", f"{number}@example.com") for number in range(links)]
    return [*zip(ids, emails, strict=True), *zip(ids[1:], emails[:-1], strict=True)]


def star(links: int) -> list[tuple[Identifier, ...]]:
    """All ids claim one email."""
    email = Identifier(IdentifierKind.EMAIL, "", "x@example.com")
    return [(Identifier(IdentifierKind.ID, "", str(number)), email) for number in range(links)]


@pytest.mark.parametrize("conflict", IdentifierConflict)
@pytest.mark.parametrize("shape", [chain, star])
def test_the_time_of_the_rules_is_proportional_to_the_evidence(
    shape: Callable[[int], list[tuple[Identifier, ...]]], conflict: IdentifierConflict
) -> None:
    def seconds(links: int) -> float:
        pairs = shape(links)
        claims = [Claim(pair, at, at) for at, pair in enumerate(pairs)]
        separations = [Correction.separate(*pair) for pair in pairs[:: len(pairs) // 100]]
        evidence = evidence_of(*claims, *separations)
        started = time.process_time()
        resolve(evidence, MergePolicy(conflict=conflict))
        return time.process_time() - started

    assert min(seconds(2000) for _ in range(2)) < 40 * max(seconds(200) for _ in range(2)), "ten times the evidence"
