"""Log lines about the progress of long streams."""

from __future__ import annotations

import logging

import pytest

from tap_line.progress_log import ProgressLog

LOGGER = logging.getLogger("test.progress")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_line_has_share_rate_and_remaining_time() -> None:
    clock = Clock()
    progress = ProgressLog(LOGGER, "people", 10_000, clock=clock)
    clock.now = 2
    progress.add(4_000)
    assert progress.line() == "4,000 of about 10,000 people done (40%), 2,000/s, 0:00:03 left"


@pytest.mark.parametrize("total", [None, 0, 50])
def test_without_a_valid_total_the_line_has_count_and_rate(total: int | None) -> None:
    clock = Clock()
    progress = ProgressLog(LOGGER, "events", total, clock=clock)
    clock.now = 10
    progress.add(100)
    assert progress.line() == "100 events done, 10/s"


def test_a_line_is_logged_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    progress = ProgressLog(LOGGER, "people", clock=clock)
    with caplog.at_level(logging.INFO):
        for _ in range(25):
            clock.now += 1
            progress.add()
    assert len(caplog.messages) == 2
