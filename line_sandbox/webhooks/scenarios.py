"""Scenarios: the events of one conversation, between a user and the account or in a group or room."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from line_sandbox.chats.state import ChatKind
from line_sandbox.webhooks.generated_events import GeneratedEvent, extra_event, reply_token
from line_sandbox.webhooks.message_contents import random_message

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from line_sandbox.webhooks.environment import Environment

_DAY = 24 * 3600 * 1000  # milliseconds
_MAX_MESSAGES = 6
_MAX_MEMBERS = 5
_POSTBACK_PROBABILITY = 0.15
_UNSEND_PROBABILITY = 0.06
_EDIT_PROBABILITY = 0.1
_UNBLOCK_PROBABILITY = 0.25
_REJOIN_PROBABILITY = 0.5
_EXTRA_EVENT_PROBABILITY = 0.3


class _Scenario:
    """Creates events with increasing timestamps, and messages with unique ids."""

    def __init__(self, environment: Environment, start: int, first_message: int, rng: random.Random) -> None:
        """Choose the time of the first event.

        Args:
            environment: Users, chats and the account.
            start: Earliest time in milliseconds since 1970.
            first_message: The first of 64 message numbers that no other scenario uses.
            rng: Random numbers.
        """
        self._environment = environment
        self._time = start + rng.randrange(10 * _DAY)
        self._message_numbers = count(first_message)
        self._rng = rng

    def _event(self, event_type: str, source: dict[str, str], **fields: Any) -> GeneratedEvent:
        self._advance(max_days=0.2)
        return GeneratedEvent(self._time, event_type, {"source": source, **fields})

    def _message(self, source: dict[str, str]) -> GeneratedEvent:
        content = random_message(self._rng, self._environment.account.user_id)
        message = {
            "id": self._environment.contents.message_id(content["type"], next(self._message_numbers) % 10**12),
            "markAsReadToken": self._environment.read_tokens.issue(self._rng.getrandbits(96)),
            **content,
        }
        return self._event("message", source, message=message, **reply_token(self._rng))

    def _advance(self, max_days: float) -> None:
        self._time += self._rng.randint(1000, int(max_days * _DAY))


class UserScenario(_Scenario):
    """A user follows the account and sends messages, and may block and unblock the account."""

    def __init__(
        self, environment: Environment, number: int, start: int, first_message: int, rng: random.Random
    ) -> None:
        """Choose the user by `number`; see `_Scenario` for the other arguments."""
        super().__init__(environment, start, first_message, rng)
        self._line_id = environment.users.line_id(number)
        self._source = {"type": "user", "userId": self._line_id}

    def events(self, *, is_first: bool, ends_blocked: bool, extra_types: Sequence[str]) -> Iterator[GeneratedEvent]:
        """Yield the events.

        Args:
            is_first: Whether this is the user's first scenario, which starts with `follow`.
            ends_blocked: Whether the last event is `unfollow`.
            extra_types: Types of other events to add at random.
        """
        if is_first:
            yield self._follow(is_unblocked=False)
        yield from self._conversation(extra_types)
        if self._rng.random() < _UNBLOCK_PROBABILITY:
            yield self._event("unfollow", self._source)
            self._advance(max_days=3)
            yield self._follow(is_unblocked=True)
            yield from self._conversation(extra_types)
        if ends_blocked:
            yield self._event("unfollow", self._source)

    def _follow(self, *, is_unblocked: bool) -> GeneratedEvent:
        return self._event("follow", self._source, follow={"isUnblocked": is_unblocked}, **reply_token(self._rng))

    def _conversation(self, extra_types: Sequence[str]) -> Iterator[GeneratedEvent]:
        for _ in range(self._rng.randint(1, _MAX_MESSAGES)):
            if self._rng.random() < _POSTBACK_PROBABILITY:
                yield self._postback()
                continue
            message = self._message(self._source)
            yield message
            if self._rng.random() < _UNSEND_PROBABILITY:
                yield self._event("unsend", self._source, unsend={"messageId": message.fields["message"]["id"]})
        for event_type in extra_types:
            if self._rng.random() < _EXTRA_EVENT_PROBABILITY:
                self._advance(max_days=0.1)
                yield extra_event(event_type, self._time, self._line_id, self._rng)

    def _postback(self) -> GeneratedEvent:
        postback: dict[str, Any] = {"data": f"action=buy&item={self._rng.randint(1, 99)}"}
        if self._rng.random() < _POSTBACK_PROBABILITY:
            postback["params"] = {"datetime": f"2026-03-{self._rng.randint(10, 28)}T10:00"}
        return self._event("postback", self._source, postback=postback, **reply_token(self._rng))


class ChatScenario(_Scenario):
    """The account joins a group or room and its members send messages; the account may leave and join again."""

    def __init__(
        self, environment: Environment, index: int, start: int, first_message: int, rng: random.Random
    ) -> None:
        """Choose the chat by `index`; see `_Scenario` for the other arguments."""
        super().__init__(environment, start, first_message, rng)
        chats = [(kind, chat_id) for kind in ChatKind for chat_id in environment.chats.all(kind)]
        self._chats = chats[index % len(chats) :][:1] if chats else []

    def events(self, *, is_first: bool) -> Iterator[GeneratedEvent]:
        """Yield the events; none if the account is in no chat.

        Args:
            is_first: Whether this is the chat's first scenario, which starts with `join`.
        """
        for kind, chat_id in self._chats:
            number = self._environment.chats.find(kind, chat_id)
            members = list(self._environment.chats.members(number))[:_MAX_MEMBERS]
            source = {"type": str(kind), f"{kind}Id": chat_id}
            if is_first:
                yield self._event("join", source, **reply_token(self._rng))
                yield self._membership_change("memberJoined", "joined", source, members, **reply_token(self._rng))
            yield from self._conversation(source, members)
            if self._rng.random() < _REJOIN_PROBABILITY:
                yield self._membership_change("memberLeft", "left", source, members[:1])
                yield self._event("leave", source)
                yield self._event("join", source, **reply_token(self._rng))

    def _conversation(self, source: dict[str, str], members: Sequence[int]) -> Iterator[GeneratedEvent]:
        for _ in range(self._rng.randint(1, _MAX_MESSAGES) if members else 0):
            author = {**source, "userId": self._environment.users.line_id(self._rng.choice(members))}
            event = self._message(author)
            yield event
            message = event.fields["message"]
            is_editable = message["type"] == "text" and source["type"] == ChatKind.GROUP
            if is_editable and self._rng.random() < _EDIT_PROBABILITY:
                edited = {name: value for name, value in message.items() if name != "markAsReadToken"}
                edited |= {"text": message["text"] + " (edited)", "quoteToken": f"{self._rng.getrandbits(256):064x}"}
                yield self._event("messageEdited", author, message=edited, **reply_token(self._rng))

    def _membership_change(
        self, event_type: str, field: str, source: dict[str, str], members: Sequence[int], **fields: Any
    ) -> GeneratedEvent:
        users = [{"type": "user", "userId": self._environment.users.line_id(member)} for member in members]
        return self._event(event_type, source, **{field: {"members": users}}, **fields)
