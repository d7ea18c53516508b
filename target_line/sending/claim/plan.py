"""Which requests carry which messages: the fewest that LINE allows. Pure.

The same content to many people goes by multicast, up to 500 in a request; what only one gets, by push.

Source: LINE Messaging API reference, "Send multicast message": users only, at most 500, no unit of its own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from target_line.sending.decide.rules import Send, User
from target_line.sending.read.recipients import Chat, Everyone, Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_line.sending.decide.rules import Decision
    from target_line.sending.policy import SendingPolicy

CHUNK = 500
"""Most people in a multicast."""


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request and the messages that it carries."""

    method: str
    body: str
    """JSON, exactly as it is to be sent at every attempt."""
    members: tuple[str, ...]
    """Message ids."""
    recipients: int
    """How much of the quota it needs, as far as can be told: a group counts as one, and what LINE chooses as none."""


def plan(sends: Iterable[tuple[str, Send]], policy: SendingPolicy) -> list[PlannedRequest]:
    """Put messages into requests.

    A person who is to get the same content twice gets it in two requests: LINE does not say what a multicast does that
    names somebody twice.

    Args:
        sends: Message ids, each once, with what is to be sent.
        policy: `multicast_min` and `test_recipients`.
    """
    if policy.test_recipients:
        return list(_redirected(sends, policy.test_recipients))
    requests = []
    rounds: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for message_id, send in sends:
        if isinstance(send.to, User):
            _take_seat(rounds[send.content], send.to.line_id, message_id)
        else:
            requests.append(_single(send, message_id))
    for content, seatings in rounds.items():
        for seats in seatings:
            people = list(seats.items())
            for start in range(0, len(people), CHUNK):
                requests += _to_users(content, people[start : start + CHUNK], policy.multicast_min)
    return requests


def full_chunks(decisions: Sequence[Decision]) -> int:
    """How many of the first decisions of a page to act on, so that the last content's chunks are full.

    The others come again at the beginning of the next page, together with what follows them.

    Args:
        decisions: About a page's messages, those of the same content side by side.

    Returns:
        At least half of them.
    """
    last = next((decision for decision in reversed(decisions) if isinstance(decision, Send)), None)
    if last is None or not isinstance(last.to, User):
        return len(decisions)
    places = [
        place
        for place, decision in enumerate(decisions)
        if isinstance(decision, Send) and decision.content == last.content
    ]
    left_over = len(places) % CHUNK
    cut = places[-left_over] if left_over else len(decisions)
    return cut if cut >= len(decisions) / 2 else len(decisions)


def _take_seat(seatings: list[dict[str, str]], line_id: str, message_id: str) -> None:
    for seats in seatings:
        if line_id not in seats:
            seats[line_id] = message_id
            return
    seatings.append({line_id: message_id})


def _to_users(content: str, chunk: Sequence[tuple[str, str]], multicast_min: int) -> Iterator[PlannedRequest]:
    if len(chunk) >= max(multicast_min, 2):
        line_ids, message_ids = zip(*chunk, strict=True)
        yield PlannedRequest("multicast", _body(line_ids, content), message_ids, len(chunk))
        return
    for line_id, message_id in chunk:
        yield PlannedRequest("push", _body(line_id, content), (message_id,), 1)


def _single(send: Send, message_id: str) -> PlannedRequest:
    match send.to:
        case Chat(chat_id=chat_id):
            return PlannedRequest("push", _body(chat_id, send.content), (message_id,), 1)
        case Everyone():
            return PlannedRequest("broadcast", f"{{{send.content}}}", (message_id,), 0)
        case Selection(narrowcast=narrowcast):
            chosen = json.dumps(narrowcast, ensure_ascii=False, separators=(",", ":"))
            return PlannedRequest("narrowcast", f"{chosen[:-1]},{send.content}}}", (message_id,), 0)
        case _:
            raise AssertionError(send.to)


def _redirected(sends: Iterable[tuple[str, Send]], testers: Sequence[str]) -> Iterator[PlannedRequest]:
    """Each content once to the testers, however many people it is for."""
    members: defaultdict[str, list[str]] = defaultdict(list)
    for message_id, send in sends:
        members[send.content].append(message_id)
    method, to = ("multicast", tuple(testers)) if len(testers) > 1 else ("push", testers[0])
    for content, message_ids in members.items():
        yield PlannedRequest(method, _body(to, content), tuple(message_ids), len(testers))


def _body(to: str | tuple[str, ...], content: str) -> str:
    return f'{{"to":{json.dumps(to, separators=(",", ":"))},{content}}}'
