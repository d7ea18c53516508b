"""Malformed requests: each gets a clear response, and stored events stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.webhook_fuzz import Fuzzer, assert_consistent

if TYPE_CHECKING:
    from tests.support.receiver_program import Receiver


@pytest.mark.sweep
@pytest.mark.timeout(0)
def test_malformed_requests_store_nothing_and_fail_no_later_request(receiver: Receiver, *, is_long: bool) -> None:
    fuzzer = Fuzzer(receiver, seed=1)
    fuzzer.run(100_000 if is_long else 3000)
    assert_consistent(receiver, fuzzer)
