"""Texts about what the requests of a client wait for."""

from __future__ import annotations

from line_core.api.activity import ClientActivity

PUSH, MULTICAST = "POST /v2/bot/message/push", "POST /v2/bot/message/multicast"


def test_each_cause_of_waiting_is_described_with_its_endpoint_and_time() -> None:
    now = 100.0
    activity = ClientActivity(lambda: now)
    with activity.waiting_for_response(PUSH), activity.waiting_for_permit(MULTICAST):
        assert activity.describe() == [f"the rate limit of {MULTICAST} (1 requests)"], "the first second is normal"
        now += 12
        assert activity.unanswered == 1
        with activity.pausing(PUSH, "status 429, attempt 2 of 6", 8), activity.waiting_for_response(PUSH):
            now += 5
            assert activity.describe() == [
                f"2 requests {PUSH} without a response for up to 17 s",
                f"1 requests {PUSH} after status 429, attempt 2 of 6, next in 3 s",
                f"the rate limit of {MULTICAST} (1 requests)",
            ]
    assert activity.describe() == []
    assert activity.unanswered == 0
