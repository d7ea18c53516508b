"""A listing goes on where the state says, unless that is too old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tap_line.listing.listing_position import ListingPosition

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SCAN = ListingPosition(NOW - timedelta(hours=30), "followers", "token")


def test_a_mark_comes_back_as_the_scan_it_was() -> None:
    assert ListingPosition.resumed(SCAN.mark(NOW), NOW + timedelta(hours=1)) == SCAN


def test_a_token_that_line_has_forgotten_is_not_used() -> None:
    assert ListingPosition.resumed(SCAN.mark(NOW), NOW + timedelta(hours=24)) is None


@pytest.mark.parametrize(
    "mark",
    [
        None,
        "token",
        {},
        {"started_at": "x"},
        {**SCAN.mark(NOW), "saved_at": "no time"},
        {**SCAN.mark(NOW), "source": 1},
    ],
)
def test_whatever_else_a_state_holds_begins_a_new_scan(mark: object) -> None:
    assert ListingPosition.resumed(mark, NOW) is None


def test_a_scan_keeps_its_beginning_when_it_goes_on() -> None:
    assert SCAN.at("inbox", None) == ListingPosition(SCAN.started_at, "inbox", None)
