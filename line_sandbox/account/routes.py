"""Endpoints of the account: bot info, and the bots of a module channel.

Source: LINE Messaging API reference, "LINE Official Account (bot)"; for partners: "Get a list of bots to which the
module is attached".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import Forbidden
from line_sandbox.http.parameters import count_parameter
from line_sandbox.http.response import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_sandbox.account.state import Account
    from line_sandbox.foundation.page_tokens import PageTokens
    from line_sandbox.http.request import HttpRequest
    from line_sandbox.http.routing import Router

_LISTING = "bots"
_MAX_LIMIT = 100


def add_routes(router: Router, *, account: Account, module_bots: Sequence[Account], page_tokens: PageTokens) -> None:
    """Add the routes of this module."""
    routes = _AccountRoutes(account=account, module_bots=module_bots, page_tokens=page_tokens)
    router.add("GET /v2/bot/info", routes.info)
    router.add("GET /v2/bot/list", routes.module_bots)


class _AccountRoutes:
    def __init__(self, *, account: Account, module_bots: Sequence[Account], page_tokens: PageTokens) -> None:
        self._account = account
        self._module_bots = module_bots
        self._page_tokens = page_tokens

    def info(self, _: HttpRequest) -> HttpResponse:
        return HttpResponse({**_bot(self._account), "chatMode": "bot", "markAsReadMode": "auto"})

    def module_bots(self, request: HttpRequest) -> HttpResponse:
        bots = self._module_bots
        if not bots:
            raise Forbidden.for_account_type()
        limit = count_parameter(request, "limit", _MAX_LIMIT, maximum=_MAX_LIMIT)
        page, next_token = self._page_tokens.paginate(_LISTING, bots, limit, request.query_parameter("start"))
        return HttpResponse({"bots": [_bot(bot) for bot in page], **next_token})


def _bot(account: Account) -> dict[str, str]:
    return {
        "userId": account.user_id,
        "basicId": account.basic_id,
        "displayName": account.display_name,
        "pictureUrl": account.picture_url,
    }
