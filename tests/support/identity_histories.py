"""Hypothesis strategies for records of few people, with shared and moved identifiers and equal and missing times."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.support.identity_model_records import KINDS, Settings
from tests.support.people import line_id, minute

if TYPE_CHECKING:
    import random

Record = tuple[str, dict[str, Any]]
"""A stream role, and a record as a tap writes it."""

IDS = ("a", "b", "c")
EMAILS = ("x@example.com", "y@example.com", "z@example.com")
LINE_IDS = tuple(line_id(number) for number in range(1, 5))
RECIPIENTS = tuple(
    (kind, value) for kind, values in zip(KINDS, (IDS, EMAILS, LINE_IDS), strict=True) for value in values
)

YES = (True, "yes", "Y", "TRUE", "1", 1, "unsubscribed", "2026-01-01", ["sms"], 2.5)
NO = (False, "no", "N", "false", "0", 0, 0.0, "off", " No ")
SILENT: tuple[Any, ...] = (None, "", "  ", [], {})

_times = st.sampled_from([None, "", *(minute(at) for at in range(1, 6))])
_unusable_times = st.sampled_from(["yesterday", "9999-12-31T00:00:00Z"])
_yes_and_no = st.sampled_from([*YES, *NO, *SILENT])
_values = st.sampled_from([None, "", "free", "gold", 0, 1, 1.0, True, False, "10", "9", [1], {"k": 1}, {"k": 1.0}])

_identifiers = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from([*IDS, *IDS, None, "null"]),
        "email": st.sampled_from([*EMAILS, *EMAILS, "X@Example.com ", None, "", "nobody"]),
        "line_id": st.sampled_from([*LINE_IDS, *LINE_IDS, None, " ", "U1"]),
    },
).filter(lambda named: any(value and str(value).strip() for value in named.values()))
_attributes = st.fixed_dictionaries(
    {},
    optional={
        "plan": _values,
        "city": _values,
        "unsubscribed": _yes_and_no,
        "UNSUBSCRIBED": _yes_and_no,
        "blocked": _yes_and_no,
        "attributes": st.fixed_dictionaries({}, optional={"Unsubscribed": _yes_and_no, "plan": _values}),
    },
)


def _profile_records(times: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Record]:
    return st.builds(
        lambda named, values, at: ("profiles", {**named, **values, **at}), _identifiers, _attributes, times
    )


_channels = st.sampled_from([{}, {}, {"channel": "main"}, {"channel": "shop"}])
_follow_records = st.one_of(
    st.builds(
        lambda line_id_, at, type_, channel: (
            "follows",
            {"line_id": line_id_, "occurred_at": at, "type": type_, **channel},
        ),
        st.sampled_from(LINE_IDS),
        _times,
        st.sampled_from(["follow", "unfollow"]),
        _channels,
    ),
    st.builds(
        lambda line_id_, at: ("followers", {"line_id": line_id_, "observed_at": at}), st.sampled_from(LINE_IDS), _times
    ),
    st.builds(
        lambda line_id_, at, state, followed_at, channel: (
            "friendships",
            {"line_id": line_id_, "updated_at": at, "follow_state": state, "last_followed_at": followed_at, **channel},
        ),
        st.sampled_from(LINE_IDS),
        _times,
        st.sampled_from(["following", "unfollowed"]),
        _times,
        _channels,
    ),
)

profile_records = _profile_records(
    st.fixed_dictionaries({}, optional={"updated_at": _times, "observed_at": _times, "linked_at": _times})
)
"""Records of people whose times can be used."""

rejected_records = _profile_records(
    st.one_of(
        st.fixed_dictionaries({"updated_at": _unusable_times}),
        st.fixed_dictionaries({"linked_at": _unusable_times}, optional={"updated_at": _times}),
        st.fixed_dictionaries({"attributes": st.just("none")}, optional={"updated_at": _times}),
    )
)
"""Records of people with a time or attributes that cannot be read."""

_pairs = st.sampled_from(
    [
        *({"id": id_, "email": email} for id_ in IDS for email in EMAILS),
        *({"id": id_, "line_id": line_id_} for id_ in IDS for line_id_ in LINE_IDS),
        *({"email": email, "line_id": line_id_} for email in EMAILS for line_id_ in LINE_IDS),
    ]
)
_single = st.sampled_from([{kind: value} for kind, value in RECIPIENTS])
plain_records = st.builds(
    lambda named, at, answer: ("profiles", {**named, "updated_at": at, **answer}),
    st.one_of(_pairs, _pairs, _pairs, _single),
    st.sampled_from([minute(at) for at in range(1, 6)]),
    st.sampled_from([{}, {}, {}, {}, {}, {"unsubscribed": True}, {"unsubscribed": "no"}]),
)
"""Dated records with one or two valid identifiers, and at most one attribute, an answer."""

plain_histories = st.lists(plain_records, min_size=4, max_size=9)
"""Lists of plain records: they connect more people than other lists."""

dated_histories = plain_histories | st.lists(
    st.one_of(profile_records, profile_records, profile_records, _follow_records), max_size=12
)
"""Lists of records whose order of arrival does not count."""

histories = plain_histories | st.lists(
    st.one_of(profile_records, profile_records, profile_records, _follow_records, rejected_records),
    max_size=12,
)
"""Lists of records, also with times that cannot be used."""


def merge_settings(**fixed: Any) -> st.SearchStrategy[Settings]:
    """Generate settings of all kinds; `fixed` are the same in all of them."""
    criteria = Settings().canonical_line_id
    free = {
        "identifier_precedence": st.just(KINDS) | st.sampled_from(list(permutations(KINDS))),
        "identifier_conflict": st.sampled_from(["latest", "first", "reject"]),
        "attribute_conflict": st.sampled_from(["latest", "survivor"]),
        "canonical_line_id": st.just(criteria)
        | st.permutations(criteria).flatmap(
            lambda order: st.integers(1, len(order)).map(lambda number: tuple(order[:number]))
        ),
        "max_line_ids_per_profile": st.sampled_from([1, 2, 3, 20]),
        "max_people_per_email": st.sampled_from([2, 3, 1000, 1000]),
        "max_people_per_line_id": st.sampled_from([2, 3, 100, 100]),
        "max_identifiers_per_id": st.sampled_from([2, 3, 100, 100]),
        "null_identifiers": st.sampled_from(["ignore", "clear"]),
        "suppression_attributes": st.sampled_from(
            [(), ("unsubscribed",), ("unsubscribed",), ("unsubscribed", "blocked")]
        ),
    }
    return st.builds(Settings, **{**free, **{name: st.just(value) for name, value in fixed.items()}})


def arrivals(records: list[Record], chance: random.Random, runs: int) -> list[list[Record]]:
    """Return the records in another order, some of them twice, cut into runs."""
    arrived = [*records, *chance.sample(records, len(records) // 2)]
    chance.shuffle(arrived)
    cuts = sorted(chance.randrange(len(arrived) + 1) for _ in range(runs - 1))
    return [arrived[start:end] for start, end in zip([0, *cuts], [*cuts, len(arrived)], strict=True)]
