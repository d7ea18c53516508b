"""Records a delivery everywhere: delivery log, quota, delivery counts, aggregation units, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.clock import line_date
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.foundation.seeded_random import SeededRandom
    from line_sandbox.insight.message_statistics import MessageStatistics
    from line_sandbox.messages.chat_lookup import ChatLookup
    from line_sandbox.messages.delivery_log import DeliveryLog
    from line_sandbox.messages.send_request import SendRequest
    from line_sandbox.usage.state import Usage

_METHODS_WITH_REQUEST_STATISTICS = (DeliveryMethod.NARROWCAST, DeliveryMethod.BROADCAST)


class DeliveryRecorder:
    """Records deliveries."""

    def __init__(
        self,
        *,
        log: DeliveryLog,
        usage: Usage,
        statistics: MessageStatistics,
        chats: ChatLookup,
        request_ids: SeededRandom,
    ) -> None:
        self._log = log
        self._usage = usage
        self._statistics = statistics
        self._chats = chats
        self._request_ids = request_ids

    def record(self, request: SendRequest, chats: Sequence[int], delivered_at: float) -> None:
        """Record the delivery of a request.

        Args:
            request: The request.
            chats: Numbers of the chats that received its messages.
            delivered_at: Seconds since 1970.
        """
        units = [unit for unit in request.units if self._usage.units.use(unit)]
        message_count = self._chats.message_count(chats)
        self._log.add(request, chats, units, delivered_at)
        if request.method.counts_to_quota:
            self._usage.quota.use(message_count)
        self._usage.counts.add(line_date(delivered_at), request.method, message_count)
        if request.method in _METHODS_WITH_REQUEST_STATISTICS:
            request_id = self._request_ids.uuid(request.number)
            self._statistics.record_request(request_id, request.number, request.messages, chats, delivered_at)
        self._statistics.record_units(units, request.number, request.messages, message_count, delivered_at)
