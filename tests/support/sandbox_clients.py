"""Clients of a running sandbox: its control API, and LINE's official SDK, synchronous or not."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from typing import TYPE_CHECKING, Any

import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's models are built on deprecated parts of pydantic
    from linebot.v3 import audience, insight, messaging, module, oauth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TOKEN = "sandbox-token"
TIMEOUT = 30


class Control:
    """The control API, and raw requests as LINE's API gets them."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = url
        self.headers = {"authorization": f"Bearer {token}"}

    def get(self, path: str, /, **parameters: Any) -> Any:
        """A control API's answer."""
        answer = requests.get(f"{self.url}/sandbox/{path}", params=parameters, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, /, **body: Any) -> Any:
        """A control API's answer."""
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=120)
        assert answer.ok, answer.text
        return answer.json()

    def followers(self, count: int = 10) -> list[str]:
        """Some LINE IDs of people who follow."""
        line_ids: list[str] = self.get("users", limit=count)["line_ids"]
        return line_ids

    def set_user(self, line_id: str, state: str) -> None:
        """Change what a person is to the account."""
        self.post(f"users/{line_id}", state=state)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.post("clock", advance_seconds=seconds)

    def deliveries(self) -> list[dict[str, Any]]:
        """Everything that was delivered."""
        delivered: list[dict[str, Any]] = self.get("deliveries")["deliveries"]
        return delivered

    def fault(self, kind: str, path: str = "/v2", **more: Any) -> None:
        """Put a fault in force."""
        self.post("faults", kind=kind, path=path, **more)

    def line(self, method: str, path: str, **how: Any) -> requests.Response:
        """A raw request to LINE's API."""
        headers = self.headers | how.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=how.pop("timeout", TIMEOUT), **how)

    def push(self, to: str, text: str = "hello", *, key: str | None = None, **more: Any) -> requests.Response:
        """A raw push of one text."""
        body = {"to": to, "messages": [{"type": "text", "text": text}], **more}
        headers = {"x-line-retry-key": key} if key else {}
        return self.line("POST", "/v2/bot/message/push", json=body, headers=headers)


class Methods:
    """One of the SDK's API classes; each of its methods awaited, whichever client is behind it."""

    def __init__(self, api: object) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._api, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if inspect.iscoroutinefunction(method) or type(self._api).__name__.startswith("Async"):
                    return await method(*arguments, **named)
                return await asyncio.to_thread(method, *arguments, **named)

        return call


class Sdk:
    """LINE's official SDK, pointed at a sandbox."""

    def __init__(self, url: str, *, is_async: bool, token: str = TOKEN) -> None:
        self.is_async = is_async
        self._url = url
        self._token = token
        self._clients: list[Any] = []
        self.messaging = self._methods(messaging, "MessagingApi")
        self.messaging_blob = self._methods(messaging, "MessagingApiBlob")
        self.audience = self._methods(audience, "ManageAudience")
        self.audience_blob = self._methods(audience, "ManageAudienceBlob")
        self.insight = self._methods(insight, "Insight")
        self.oauth = self._methods(oauth, "ChannelAccessToken")
        self.module = self._methods(module, "LineModule")

    def _methods(self, package: Any, name: str) -> Methods:
        prefix = "Async" if self.is_async else ""
        configuration = package.Configuration(host=self._url, access_token=self._token)
        client = getattr(package, f"{prefix}ApiClient")(configuration)
        self._clients.append(client)
        return Methods(getattr(package, prefix + name)(client))

    async def close(self) -> None:
        """Close its connections."""
        for client in self._clients:
            closed = client.close()
            if inspect.isawaitable(closed):
                await closed
            elif hasattr(client.rest_client, "pool_manager"):
                client.rest_client.pool_manager.clear()
