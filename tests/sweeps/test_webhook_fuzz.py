"""A hundred thousand malformed requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.receiver_program import running_receiver
from tests.support.webhook_fuzz import Fuzzer, assert_unharmed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(3600)
def test_a_hundred_thousand_malformed_requests_do_no_harm(tmp_path: Path) -> None:
    with running_receiver(tmp_path, f"sqlite:///{tmp_path}/store.db") as receiver:
        fuzzer = Fuzzer(receiver, seed=2)
        fuzzer.run(100_000)
        assert_unharmed(receiver, fuzzer)
