"""Thousands of malformed requests do no harm; `tests/sweeps` sends a hundred thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.webhook_fuzz import Fuzzer, assert_unharmed

if TYPE_CHECKING:
    from tests.support.receiver_program import Receiver


def test_malformed_requests_do_no_harm(receiver: Receiver) -> None:
    fuzzer = Fuzzer(receiver, seed=1)
    fuzzer.run(3000)
    assert_unharmed(receiver, fuzzer)
