"""What one person does in a chat with the account, as the contents of webhook events.

Source: LINE Messaging API reference, "Webhook event objects".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from line_core.sandbox.webhooks.message_contents import MESSAGE_CONTENTS

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from line_core.sandbox.platform.accounts import Account

SCRIPTED = ("follow", "message", "unsend", "postback", "unfollow")
"""The types that a usual account sees from people alone."""

_DAY = 24 * 3600 * 1000
_LAP = 30 * _DAY


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened."""

    at: int
    """Milliseconds since 1970."""
    type: str
    content: dict[str, Any]
    """The event's own fields and its source."""


class Story:
    """One person's history."""

    def __init__(  # noqa: PLR0913 - who, when, how and with whom
        self, line_id: str, start: int, lap: int, *, ends_blocked: bool, chance: random.Random, account: Account
    ) -> None:
        self._line_id = line_id
        self._at = start + lap * _LAP + chance.randrange(15 * _DAY)
        self._is_first = lap == 0
        self._ends_blocked = ends_blocked
        self._chance = chance
        self._account = account

    def tell(self, wanted: frozenset[str]) -> Iterator[Happening]:
        """What happened, in order: at least one thing of every type that is wanted is within reach."""
        if self._is_first:
            yield self._happening("follow", follow={"isUnblocked": False}, **self._reply_token())
        yield from self._chat()
        if self._chance.random() < 0.25:  # noqa: PLR2004 - a quarter go, and come back
            yield self._happening("unfollow")
            self._pass(days=3)
            yield self._happening("follow", follow={"isUnblocked": True}, **self._reply_token())
            yield from self._chat()
        if self._ends_blocked:
            yield self._happening("unfollow")

    def _chat(self) -> Iterator[Happening]:
        for _ in range(self._chance.randint(1, 6)):
            draw = self._chance.random()
            if draw < 0.15:  # noqa: PLR2004 - one in seven taps a button
                data = f"action=buy&item={self._chance.randint(1, 99)}"
                yield self._happening("postback", postback={"data": data}, **self._reply_token())
                continue
            identity = str(self._chance.randrange(4 * 10**17, 5 * 10**17))
            content = self._chance.choice(MESSAGE_CONTENTS)(self._chance)
            yield self._happening("message", message={"id": identity, **content}, **self._reply_token())
            if draw > 0.95:  # noqa: PLR2004 - one in twenty takes it back
                yield self._happening("unsend", unsend={"messageId": identity})

    def _happening(self, kind: str, **content: Any) -> Happening:
        self._pass(days=0.2)
        return Happening(self._at, kind, {"source": {"type": "user", "userId": self._line_id}, **content})

    def _pass(self, days: float) -> None:
        self._at += self._chance.randint(1000, int(days * _DAY))

    def _reply_token(self) -> dict[str, str]:
        return {"replyToken": f"{self._chance.getrandbits(128):032x}"}
