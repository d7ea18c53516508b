"""One sending run on a store, with scripted responses in place of LINE."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select

from line_core.api.activity import ClientActivity
from line_core.api.errors import UnreachableError
from line_core.api.response import Response
from line_core.identity.policy import MergePolicy
from line_core.store.tables.ledger import messages
from target_line.identity.repository import IdentityRepository
from target_line.intake.reject_limit import RejectLimit
from target_line.run_report import RunReport
from target_line.sending.account import MonthlyUnits
from target_line.sending.claim.request_body import SendMethod
from target_line.sending.decide.decider import DueMessages, MessageDecider
from target_line.sending.ledger import Ledger
from target_line.sending.policy import SendingPolicy
from target_line.sending.send.request_sender import RequestSender
from target_line.sending.send.sender import Sender
from tests.support.ledger_claims import allowance_of, request_claims
from tests.support.people import line_id
from tests.support.staging import stage_records

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy import Row

    from line_core.api.client import LineClient
    from line_core.api.rate_limit.limiter import RateLimiter
    from line_core.store import Store
    from target_line.sending.quota import SendAllowance
    from target_line.sending.send.sender import SenderLimits


def response(
    status: int, message: str = "", *, details: Sequence[dict[str, str]] = (), accepted_request_id: str = ""
) -> Response:
    """Return a response of LINE."""
    body = json.dumps({"message": message, "details": list(details)}).encode()
    headers = {"x-line-request-id": "r", "x-line-accepted-request-id": accepted_request_id}
    return Response("POST /v2/bot/message/push", status, headers, body)


def page_of_a_proxy(status: int) -> Response:
    """Return a response that is not LINE's."""
    return Response("POST /v2/bot/message/push", status, {"content-type": "text/html"}, b"<html>Access denied</html>")


ACCEPTED = response(200)


class ScriptedLine:
    """LINE and its rate limiter. Records requests by retry key, and pauses."""

    def __init__(
        self,
        respond: Callable[[dict[str, Any], int], Response | UnreachableError],
        seconds: float = 0,
        *,
        permit_seconds: float = 0,
    ) -> None:
        """Start without requests.

        Args:
            respond: Returns the response to a body, at the given number of attempts.
            seconds: Duration until the response.
            permit_seconds: Duration between two permits of the rate limiter.
        """
        self._respond = respond
        self._seconds = seconds
        self._permit_seconds = permit_seconds
        self._permits = asyncio.Lock()
        self.methods: list[str] = []
        self.bodies: dict[str, list[bytes]] = {}
        self.paused: list[str] = []
        self.activity = ClientActivity()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes,
        headers: dict[str, str],
        before_send: Callable[[], Awaitable[None] | None],
    ) -> Response:
        assert method == "POST"
        assert path.removeprefix("/v2/bot/message/") in list(SendMethod)
        if self._permit_seconds:
            async with self._permits:
                await asyncio.sleep(self._permit_seconds)
        while (check := before_send()) is not None:
            await check
        self.methods.append(path.removeprefix("/v2/bot/message/"))
        attempts = self.bodies.setdefault(headers["X-Line-Retry-Key"], [])
        attempts.append(body)
        await asyncio.sleep(self._seconds)
        scripted = self._respond(json.loads(body), len(attempts))
        if isinstance(scripted, UnreachableError):
            raise scripted
        return scripted

    def pause(self, endpoint: str, _seconds: float) -> None:
        self.paused.append(endpoint)


class SendingRunOnStore:
    """A store with messages, and one sending run on it."""

    def __init__(self, store: Store, name: str = "run", **policy: Any) -> None:
        self.store = store
        self.ledger = Ledger(store, "main", name)
        self.policy = SendingPolicy(**policy)
        self.report = RunReport(RejectLimit.parse(None))

    def stage(self, people: int, text: str | None = None, **columns: Any) -> None:
        """Stage a message to each of several people, with its number as text unless a text is given."""
        records = [
            {"message_id": str(number), "line_id": line_id(number), "text": text or str(number), **columns}
            for number in range(people)
        ]
        self.stage_records(records)

    def stage_records(self, records: Sequence[dict[str, Any]]) -> None:
        with self.store.write(lock="ledger") as connection:
            stage_records(connection, records)

    def due(self) -> DueMessages:
        """Return the due messages with their decisions."""
        identity = IdentityRepository(self.store, MergePolicy())
        return DueMessages(self.ledger, MessageDecider(identity, self.policy, MonthlyUnits()))

    def send(
        self,
        line: ScriptedLine,
        *,
        due: DueMessages | None = None,
        allowance: SendAllowance | None = None,
        limits: SenderLimits | None = None,
        meanwhile: Callable[[Sender], Awaitable[None]] | None = None,
    ) -> None:
        """Send everything that is due.

        Args:
            line: In place of LINE.
            due: The due messages; default: all.
            allowance: Default: no limit.
            limits: Default: those of the program.
            meanwhile: Runs at the same time.

        Raises:
            LineError: The run was stopped.
        """
        requests = RequestSender(cast("LineClient", line), cast("RateLimiter", line))
        claims = request_claims(self.ledger, self.policy)
        sender = Sender(due or self.due(), claims, requests, allowance or allowance_of(), self.report, limits=limits)

        async def send() -> None:
            running = asyncio.ensure_future(meanwhile(sender)) if meanwhile else None
            await sender.run()
            if running:
                await running

        asyncio.run(send())

    def rows(self) -> dict[str, Row[Any]]:
        """Return the messages by id."""
        with self.store.read() as connection:
            return {row.message_id: row for row in connection.execute(select(messages))}

    def statuses(self) -> dict[str, str]:
        with self.store.read() as connection:
            return dict(connection.execute(select(messages.c.message_id, messages.c.status)).all())
