"""What goes on in one chat, as a string of happenings: a person's with the account, or a group's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from line_sandbox.chats.state import ChatKind
from line_sandbox.webhooks.generated_events import Happening, happening, reply_token
from line_sandbox.webhooks.message_contents import draw_message

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from line_sandbox.account.state import Account
    from line_sandbox.chats.read_tokens import ReadTokens
    from line_sandbox.chats.state import Chats
    from line_sandbox.contents.state import Contents
    from line_sandbox.users.state import Users

_DAY = 24 * 3600 * 1000
_TAPS_SHARE = 0.15
_TAKES_BACK_SHARE = 0.06
_EDITS_SHARE = 0.1
_COMES_BACK_SHARE = 0.25
_ASKED_BACK_SHARE = 0.5
_EXTRA_SHARE = 0.3
_MOST_MESSAGES = 6
_MOST_TALKERS = 5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stories are told about."""

    users: Users
    chats: Chats
    contents: Contents
    read_tokens: ReadTokens
    account: Account


class _Story:
    """Time that passes, and messages with ids of their own."""

    def __init__(self, around: Surroundings, start: int, first_draw: int, chance: random.Random) -> None:
        """Begin.

        Args:
            around: What it is about.
            start: Milliseconds since 1970.
            first_draw: The first of 64 draws for message ids that no other story has.
            chance: Draws the rest.
        """
        self._around = around
        self._at = start + chance.randrange(10 * _DAY)
        self._draws = count(first_draw)
        self._chance = chance

    def _happens(self, kind: str, source: dict[str, str], **content: Any) -> Happening:
        self._pass(days=0.2)
        return Happening(self._at, kind, {"source": source, **content})

    def _message(self, source: dict[str, str]) -> Happening:
        content = draw_message(self._chance, self._around.account.user_id)
        message = {
            "id": self._around.contents.message_id(content["type"], next(self._draws) % 10**12),
            "markAsReadToken": self._around.read_tokens.issue(self._chance.getrandbits(96)),
            **content,
        }
        return self._happens("message", source, message=message, **reply_token(self._chance))

    def _pass(self, days: float) -> None:
        self._at += self._chance.randint(1000, int(days * _DAY))


class PersonStory(_Story):
    """Somebody follows the account, writes, perhaps blocks it and comes back."""

    def __init__(self, around: Surroundings, number: int, start: int, first_draw: int, chance: random.Random) -> None:
        """Begin; `number` is the person's."""
        super().__init__(around, start, first_draw, chance)
        self._line_id = around.users.line_id(number)
        self._source = {"type": "user", "userId": self._line_id}

    def tell(self, *, is_new: bool, ends_blocked: bool, extras: Sequence[str]) -> Iterator[Happening]:
        """What happens.

        Args:
            is_new: Whether it begins with following for the first time.
            ends_blocked: Whether the person blocks the account in the end.
            extras: Types of other events that may happen too.
        """
        if is_new:
            yield self._follows(again=False)
        yield from self._writes(extras)
        if self._chance.random() < _COMES_BACK_SHARE:
            yield self._happens("unfollow", self._source)
            self._pass(days=3)
            yield self._follows(again=True)
            yield from self._writes(extras)
        if ends_blocked:
            yield self._happens("unfollow", self._source)

    def _follows(self, *, again: bool) -> Happening:
        return self._happens("follow", self._source, follow={"isUnblocked": again}, **reply_token(self._chance))

    def _writes(self, extras: Sequence[str]) -> Iterator[Happening]:
        for _ in range(self._chance.randint(1, _MOST_MESSAGES)):
            if self._chance.random() < _TAPS_SHARE:
                yield self._taps()
                continue
            written = self._message(self._source)
            yield written
            if self._chance.random() < _TAKES_BACK_SHARE:
                yield self._happens("unsend", self._source, unsend={"messageId": written.content["message"]["id"]})
        for kind in extras:
            if self._chance.random() < _EXTRA_SHARE:
                self._pass(days=0.1)
                yield happening(kind, self._at, self._line_id, self._chance)

    def _taps(self) -> Happening:
        postback: dict[str, Any] = {"data": f"action=buy&item={self._chance.randint(1, 99)}"}
        if self._chance.random() < _TAPS_SHARE:
            postback["params"] = {"datetime": f"2026-03-{self._chance.randint(10, 28)}T10:00"}
        return self._happens("postback", self._source, postback=postback, **reply_token(self._chance))


class ChatStory(_Story):
    """The account joins a group or room, people come, talk and go; the account may leave, and is asked back."""

    def __init__(self, around: Surroundings, turn: int, start: int, first_draw: int, chance: random.Random) -> None:
        """Begin; `turn` chooses the chat."""
        super().__init__(around, start, first_draw, chance)
        chats = [(kind, chat_id) for kind in ChatKind for chat_id in around.chats.all(kind)]
        self._chats = chats[turn % len(chats) :][:1] if chats else []

    def tell(self, *, is_new: bool) -> Iterator[Happening]:
        """What happens; nothing if the account is in no chat.

        Args:
            is_new: Whether it begins with the account's joining.
        """
        for kind, chat_id in self._chats:
            number = self._around.chats.find(kind, chat_id)
            members = list(self._around.chats.members(number))[:_MOST_TALKERS]
            source = {"type": str(kind), f"{kind}Id": chat_id}
            if is_new:
                yield self._happens("join", source, **reply_token(self._chance))
                yield self._members("memberJoined", "joined", source, members, **reply_token(self._chance))
            yield from self._talk(source, members)
            if self._chance.random() < _ASKED_BACK_SHARE:
                yield self._members("memberLeft", "left", source, members[:1])
                yield self._happens("leave", source)
                yield self._happens("join", source, **reply_token(self._chance))

    def _talk(self, source: dict[str, str], members: Sequence[int]) -> Iterator[Happening]:
        for _ in range(self._chance.randint(1, _MOST_MESSAGES) if members else 0):
            author = {**source, "userId": self._around.users.line_id(self._chance.choice(members))}
            written = self._message(author)
            yield written
            message = written.content["message"]
            if message["type"] == "text" and source["type"] == ChatKind.GROUP and self._chance.random() < _EDITS_SHARE:
                edited = {name: value for name, value in message.items() if name != "markAsReadToken"}
                edited |= {"text": message["text"] + " (edited)", "quoteToken": f"{self._chance.getrandbits(256):064x}"}
                yield self._happens("messageEdited", author, message=edited, **reply_token(self._chance))

    def _members(
        self, kind: str, name: str, source: dict[str, str], members: Sequence[int], **content: Any
    ) -> Happening:
        people = [{"type": "user", "userId": self._around.users.line_id(member)} for member in members]
        return self._happens(kind, source, **{name: {"members": people}}, **content)
