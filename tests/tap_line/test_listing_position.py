"""Bookmarks of unfinished listings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tap_line.listing.listing_position import ListingPosition

NOW = datetime(2026, 1, 2, tzinfo=UTC)
POSITION = ListingPosition(NOW - timedelta(hours=30), "followers", "token")


def test_a_position_is_restored_from_its_bookmark() -> None:
    assert ListingPosition.from_bookmark(POSITION.to_bookmark(NOW), NOW + timedelta(hours=1)) == POSITION


def test_the_bookmark_keeps_its_format_so_that_existing_states_are_restored() -> None:
    bookmark = {
        "started_at": "2026-01-01T00:00:00+00:00",
        "source": "followers",
        "after": "token",
        "saved_at": "2026-01-02T00:00:00+00:00",
    }
    position = ListingPosition(datetime(2026, 1, 1, tzinfo=UTC), "followers", "token")
    assert ListingPosition.from_bookmark(bookmark, NOW) == position
    assert position.to_bookmark(NOW) == bookmark


def test_a_bookmark_with_an_expired_token_is_ignored() -> None:
    assert ListingPosition.from_bookmark(POSITION.to_bookmark(NOW), NOW + timedelta(hours=24)) is None


@pytest.mark.parametrize(
    "bookmark",
    [
        None,
        "token",
        {},
        {"started_at": "x"},
        {**POSITION.to_bookmark(NOW), "saved_at": "no time"},
        {**POSITION.to_bookmark(NOW), "source": 1},
    ],
)
def test_an_invalid_bookmark_is_ignored(bookmark: object) -> None:
    assert ListingPosition.from_bookmark(bookmark, NOW) is None


def test_a_later_position_keeps_the_start_of_the_listing() -> None:
    assert POSITION.moved_to("inbox", None) == ListingPosition(POSITION.started_at, "inbox", None)
