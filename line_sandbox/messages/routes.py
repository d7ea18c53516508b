"""Endpoints that send messages, except narrowcasts, and that validate message objects.

Source: LINE Messaging API reference, "Message", "Retrying an API request".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_core.ids import is_chat_id, is_line_id
from line_sandbox.foundation.api_errors import InvalidRequest
from line_sandbox.http.bodies import check_line_ids
from line_sandbox.http.response import HttpResponse
from line_sandbox.messages.bodies import read_messages_body
from line_sandbox.messages.recipient_rules import check_for_users
from line_sandbox.messages.send_request import read_send_request
from line_sandbox.usage.delivery_counts import DeliveryMethod

if TYPE_CHECKING:
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router
    from line_sandbox.messages.send_request import SendRequest
    from line_sandbox.messages.sender import MessageSender
    from line_sandbox.messages.sent_messages import SentMessages
    from line_sandbox.messages.state import Messaging

_VALIDATED_METHODS = (
    DeliveryMethod.REPLY,
    DeliveryMethod.PUSH,
    DeliveryMethod.MULTICAST,
    DeliveryMethod.NARROWCAST,
    DeliveryMethod.BROADCAST,
)


def add_routes(router: Router, *, messaging: Messaging) -> None:
    """Add the routes of this module."""
    routes = _MessageRoutes(messaging.sender, messaging.sent_messages)
    router.add("POST /v2/bot/message/push", routes.push, accepts_retry_key=True)
    router.add("POST /v2/bot/message/multicast", routes.multicast, accepts_retry_key=True)
    router.add("POST /v2/bot/message/broadcast", routes.broadcast, accepts_retry_key=True)
    router.add("POST /v2/bot/message/reply", routes.reply)
    for method in _VALIDATED_METHODS:
        may_mention = method in (DeliveryMethod.PUSH, DeliveryMethod.REPLY)
        handler = routes.validate if may_mention else routes.validate_without_mentions
        router.add(f"POST /v2/bot/message/validate/{method}", handler)


class _MessageRoutes:
    def __init__(self, sender: MessageSender, sent_messages: SentMessages) -> None:
        self._sender = sender
        self._sent_messages = sent_messages

    def push(self, request: HttpRequest) -> HttpResponse:
        body = read_messages_body(request, "messages.json#/$defs/push")
        if not (is_line_id(body["to"]) or is_chat_id(body["to"])):
            raise InvalidRequest.for_property("'to'")  # quoted, as in line/line-bot-sdk-python#729
        send_request = read_send_request(request, DeliveryMethod.PUSH, body)
        reached = self._sender.push(send_request, body["to"])
        return self._sent(send_request, note=f"{len(reached)} delivered")

    def multicast(self, request: HttpRequest) -> HttpResponse:
        body = read_messages_body(request, "messages.json#/$defs/multicast")
        check_line_ids(body["to"], "to")
        check_for_users(body["messages"])
        reached = self._sender.multicast(read_send_request(request, DeliveryMethod.MULTICAST, body), body["to"])
        return HttpResponse({}, note=f"{len(reached)} of {len(body['to'])} delivered")

    def broadcast(self, request: HttpRequest) -> HttpResponse:
        body = read_messages_body(request, "messages.json#/$defs/broadcast")
        check_for_users(body["messages"])
        reached = self._sender.broadcast(read_send_request(request, DeliveryMethod.BROADCAST, body))
        return HttpResponse({}, note=f"{len(reached)} delivered")

    def reply(self, request: HttpRequest) -> HttpResponse:
        body = read_messages_body(request, "messages.json#/$defs/reply")
        send_request = read_send_request(request, DeliveryMethod.REPLY, body)
        reached = self._sender.reply(send_request, body["replyToken"])
        return self._sent(send_request, note=f"{len(reached)} delivered")

    def validate(self, request: HttpRequest) -> HttpResponse:
        read_messages_body(request, "messages.json#/$defs/validate")
        return HttpResponse({})

    def validate_without_mentions(self, request: HttpRequest) -> HttpResponse:
        check_for_users(read_messages_body(request, "messages.json#/$defs/validate")["messages"])
        return HttpResponse({})

    def _sent(self, request: SendRequest, *, note: str) -> HttpResponse:
        sent = self._sent_messages.describe(request.number, request.message_types)
        return HttpResponse({"sentMessages": sent}, note=note)
