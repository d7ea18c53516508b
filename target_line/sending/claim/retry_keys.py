"""Retry keys. The key of a push derives from what it sends, so that LINE refuses the same push of another store.

The programs cannot see that another store (another folder, pod or machine) sends the same record. LINE can: it accepts
a key once in 24 hours. Multicasts, broadcasts and narrowcasts get random keys, because which messages share a request
depends on what else is due.

A key is used for one request of a store. After LINE refused a request, the next one for the message has another key.

Source: LINE, "Retry failed API requests": the key is a hexadecimal UUID, made by any method.
"""

from __future__ import annotations

import uuid
from hashlib import sha1
from typing import TYPE_CHECKING

from sqlalchemy import select

from line_core.store.dialects import in_values
from line_core.store.tables import ledger as tables
from target_line.sending.claim.request_body import SendMethod

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from target_line.sending.claim.plan import PlannedRequest

# Do not change it, nor `derived_key`: two versions of the program must derive the same key.
_NAMESPACE = uuid.UUID("5c9d3f0e-2a77-5d3c-9a41-1f0f7a8be6d2")
# The two bits of RFC 9562 in the first digit of the fourth part.
_VARIANTS = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


class RetryKeyAssigner:
    """Chooses the retry keys of one channel's requests."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.account = ""
        """LINE's id of the account. Two accounts never have the same key, also if their channels have one name."""

    def assign(
        self, connection: Connection, planned: Sequence[PlannedRequest], *, random: bool = False
    ) -> list[tuple[str, PlannedRequest]]:
        """Return the requests with their retry keys.

        Args:
            connection: A write transaction that holds the lock of the ledger.
            planned: The requests.
            random: Whether pushes get random keys too.
        """
        pushes = {} if random else {index: push for index, push in enumerate(planned) if _is_of_one_message(push)}
        refused = self._refused_requests(connection, [push.message_ids[0] for push in pushes.values()])
        keys = {index: self._key_of(push, refused) for index, push in pushes.items()}
        used = _used_keys(connection, list(keys.values()))
        return [
            (key if (key := keys.get(index)) and key not in used else str(uuid.uuid4()), request)
            for index, request in enumerate(planned)
        ]

    def _key_of(self, push: PlannedRequest, refused: Mapping[str, int]) -> str:
        (message_id,) = push.message_ids
        return derived_key(self.account, self._channel, message_id, push.body.encode(), refused.get(message_id, 0))

    def _refused_requests(self, connection: Connection, message_ids: Sequence[str]) -> dict[str, int]:
        """Return the number of refused requests of the messages that have one."""
        if not message_ids:
            return {}
        messages = tables.messages.c
        query = select(messages.message_id, messages.refused_requests).where(
            messages.channel == self._channel,
            in_values(connection, messages.message_id, message_ids),
            messages.refused_requests > 0,
        )
        return dict(connection.execute(query).all())


def derived_key(account: str, channel: str, message_id: str, body: str, refused_requests: int) -> str:
    """Return the retry key of a push, a UUID of version 5.

    Args:
        account: LINE's id of the account that sends.
        channel: Name of the sending channel.
        message_id: The message.
        body: The body of the request.
        refused_requests: Number of requests for the message that LINE did not accept.
    """
    lengths = f"{len(account)} {len(channel)} {len(message_id)} {refused_requests} "
    name = f"{lengths}{account}{channel}{message_id}{body}".encode("utf-8", "surrogatepass")
    # As `uuid.uuid5`, in a fifth of its time.
    digits = sha1(_NAMESPACE.bytes + name, usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _is_of_one_message(request: PlannedRequest) -> bool:
    return request.method is SendMethod.PUSH and len(request.message_ids) == 1


def _used_keys(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Return the keys of which the ledger has a request, for example for a message that was erased since."""
    if not keys:
        return set()
    column = tables.requests.c.retry_key
    return set(connection.execute(select(column).where(in_values(connection, column, keys))).scalars())
