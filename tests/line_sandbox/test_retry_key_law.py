"""Law: in the 24 hours after the first request with a retry key, the platform accepts at most one request with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from line_sandbox.foundation.api_errors import AlreadyAccepted
from line_sandbox.foundation.seeded_random import SeededRandom
from line_sandbox.messages.retry_keys import LIFETIME_SECONDS, RetryKeys
from line_sandbox.messages.send_request import SendRequest
from line_sandbox.messages.sent_messages import SentMessages
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from line_sandbox.foundation.clock import Clock

HOUR = 3600.0
KEYS = [UUID(int=number) for number in range(3)]
REQUEST_IDS = SeededRandom(1, "request ids")


class FakeClock:
    """A clock that only the test changes."""

    def __init__(self) -> None:
        self.seconds = 1e9

    def now(self) -> float:
        return self.seconds


class SlowModel:
    """The documented rule, written with lists: the time of each key's first request, and the keys accepted since."""

    def __init__(self) -> None:
        self.first_at: dict[UUID, float] = {}
        self.accepted: dict[UUID, bool] = {}

    def request(self, key: UUID, now: float, *, is_valid: bool) -> bool:
        """Return whether a request is accepted."""
        if key not in self.first_at or now >= self.first_at[key] + LIFETIME_SECONDS:
            self.first_at[key], self.accepted[key] = now, False
        if not is_valid or self.accepted[key]:
            return False
        self.accepted[key] = True
        return True


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1.0, HOUR, 11.5 * HOUR, 24 * HOUR]), st.sampled_from(KEYS), st.booleans()),
        max_size=30,
    )
)
def test_a_key_is_accepted_once_in_24_hours(requests: list[tuple[float, UUID, bool]]) -> None:
    clock, model = FakeClock(), SlowModel()
    keys = RetryKeys(REQUEST_IDS, SentMessages(REQUEST_IDS), cast("Clock", clock))
    for number, (pause, key, is_valid) in enumerate(requests, start=1):
        clock.seconds += pause
        accepted = is_valid
        request = SendRequest("POST /push", DeliveryMethod.PUSH, number, key, [{"type": "text", "text": "hello"}])
        if is_valid:
            try:
                keys.check(request)
                keys.record(request)
            except AlreadyAccepted:
                accepted = False
        if not accepted:
            keys.begin(key)
        assert accepted == model.request(key, clock.seconds, is_valid=is_valid)
