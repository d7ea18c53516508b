"""Group messages into the smallest number of requests that LINE allows. Pure.

Equal content for several people is sent by multicast, with up to 500 recipients per request. Other messages to people
are sent by push.

Source: LINE Messaging API reference, "Send multicast message": at most 500 recipients, users only.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from target_line.sending.claim.request_body import RecipientKind, RequestBody, SendMethod, chat_kind
from target_line.sending.decide.decisions import LineUser, Send
from target_line.sending.read.recipients import AllFollowers, ChatRecipient, NarrowcastRecipients

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from target_line.sending.decide.content import MessageContent
    from target_line.sending.decide.decisions import Decision
    from target_line.sending.policy import SendingPolicy

MULTICAST_LIMIT = 500
"""Maximum number of recipients of a multicast."""


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """A request and the messages that it carries."""

    method: SendMethod
    body: RequestBody
    message_ids: tuple[str, ...]
    recipient_kind: RecipientKind
    recipients: int
    """Quota that the request needs: a group counts as one. 0 for broadcasts and narrowcasts, where only LINE knows."""
    valid_until: datetime | None = None
    """The earliest time at which a decision about its messages is made again."""


def plan_requests(sends: Iterable[tuple[str, Send]], policy: SendingPolicy) -> list[PlannedRequest]:
    """Group messages into requests.

    Two messages with equal content to one person go into two requests, because LINE does not document how it treats a
    LINE ID that stands twice in a multicast.

    Args:
        sends: Message ids, each once, with the decision to send.
        policy: `multicast_min` and `test_recipients` are used.
    """
    if policy.test_recipients:
        return list(_plan_for_test_recipients(sends, policy.test_recipients))
    requests = []
    rounds_by_content: defaultdict[MessageContent, list[dict[str, str]]] = defaultdict(list)
    for message_id, send in sends:
        if isinstance(send.to, LineUser):
            _assign_to_round(rounds_by_content[send.content], send.to.line_id, message_id)
        else:
            requests.append(_plan_single(send, message_id))
    for content, rounds in rounds_by_content.items():
        for message_id_of in rounds:
            people = list(message_id_of.items())
            for start in range(0, len(people), MULTICAST_LIMIT):
                requests += _plan_for_users(content, people[start : start + MULTICAST_LIMIT], policy.multicast_min)
    return requests


def halves_of(
    body: RequestBody, line_ids: Sequence[str], message_id_of: Mapping[str, str]
) -> tuple[PlannedRequest, PlannedRequest]:
    """Return two requests in place of a multicast, each for half of its recipients.

    Args:
        body: The body of the multicast.
        line_ids: Its recipients, at least two.
        message_id_of: The message of each recipient.
    """
    middle = len(line_ids) // 2
    first, second = (
        PlannedRequest(
            SendMethod.PUSH if len(half) == 1 else SendMethod.MULTICAST,
            replace(body, to=half[0] if len(half) == 1 else tuple(half)),
            tuple(message_id_of[line_id] for line_id in half),
            RecipientKind.USER,
            len(half),
        )
        for half in (line_ids[:middle], line_ids[middle:])
    )
    return first, second


def length_with_full_multicasts(decisions: Sequence[Decision]) -> int:
    """Return how many of the first decisions of a page to plan, so that the multicasts of the last content are full.

    The remaining messages are carried over to the next page, where the same content may continue.

    Args:
        decisions: Decisions of a page, with equal contents next to each other.

    Returns:
        At least half of the page's length.
    """
    last = next((decision for decision in reversed(decisions) if isinstance(decision, Send)), None)
    if last is None or not isinstance(last.to, LineUser):
        return len(decisions)
    indexes = [
        index
        for index, decision in enumerate(decisions)
        if isinstance(decision, Send) and decision.content == last.content
    ]
    incomplete = len(indexes) % MULTICAST_LIMIT
    length = indexes[-incomplete] if incomplete else len(decisions)
    return length if length >= len(decisions) / 2 else len(decisions)


def _assign_to_round(rounds: list[dict[str, str]], line_id: str, message_id: str) -> None:
    """Put a message into the first round that has no message for the LINE ID yet."""
    for message_id_of in rounds:
        if line_id not in message_id_of:
            message_id_of[line_id] = message_id
            return
    rounds.append({line_id: message_id})


def _plan_for_users(
    content: MessageContent, people: Sequence[tuple[str, str]], multicast_min: int
) -> Iterator[PlannedRequest]:
    """Yield one multicast, or a push for each person.

    Args:
        content: The content.
        people: At most 500 different LINE IDs, each with its message id.
        multicast_min: Minimum number of recipients of a multicast.
    """
    if len(people) >= max(multicast_min, 2):
        line_ids, message_ids = zip(*people, strict=True)
        body = RequestBody(content, line_ids)
        yield PlannedRequest(SendMethod.MULTICAST, body, message_ids, RecipientKind.USER, len(people))
        return
    for line_id, message_id in people:
        yield PlannedRequest(SendMethod.PUSH, RequestBody(content, line_id), (message_id,), RecipientKind.USER, 1)


def _plan_single(send: Send, message_id: str) -> PlannedRequest:
    """Plan a message to a chat, to all followers, or to a selection of followers."""
    message_ids = (message_id,)
    match send.to:
        case ChatRecipient(chat_id=chat_id):
            body = RequestBody(send.content, chat_id)
            return PlannedRequest(SendMethod.PUSH, body, message_ids, chat_kind(chat_id), 1)
        case AllFollowers():
            body = RequestBody(send.content)
            return PlannedRequest(SendMethod.BROADCAST, body, message_ids, RecipientKind.FOLLOWERS, 0)
        case NarrowcastRecipients(conditions=conditions):
            body = RequestBody(send.content, conditions=conditions)
            return PlannedRequest(SendMethod.NARROWCAST, body, message_ids, RecipientKind.SELECTION, 0)
        case _:
            raise AssertionError(send.to)


def _plan_for_test_recipients(
    sends: Iterable[tuple[str, Send]], test_recipients: Sequence[str]
) -> Iterator[PlannedRequest]:
    """Yield one request per content to the test recipients, in place of the requests to its recipients."""
    message_ids: defaultdict[MessageContent, list[str]] = defaultdict(list)
    for message_id, send in sends:
        message_ids[send.content].append(message_id)
    single = len(test_recipients) == 1
    method, to = (SendMethod.PUSH, test_recipients[0]) if single else (SendMethod.MULTICAST, tuple(test_recipients))
    for content, carried in message_ids.items():
        body = RequestBody(content, to)
        yield PlannedRequest(method, body, tuple(carried), RecipientKind.USER, len(test_recipients))
