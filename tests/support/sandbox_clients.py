"""Clients of a running sandbox: its control API, and LINE's official SDK, synchronous or asynchronous."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from typing import TYPE_CHECKING, Any

import requests

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's models use deprecated parts of pydantic
    from linebot.v3 import audience, insight, messaging, module, oauth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

TOKEN = "sandbox-token"
TIMEOUT = 30


class SandboxClient:
    """Sends requests to the control API, and requests without the SDK to LINE's API."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = url
        self.headers = {"authorization": f"Bearer {token}"}

    def get(self, path: str, /, **parameters: Any) -> Any:
        """Send a GET request to the control API and return the JSON response."""
        response = requests.get(f"{self.url}/sandbox/{path}", params=parameters, timeout=TIMEOUT)
        response.raise_for_status()
        return response.json()

    def post(self, path: str, /, **body: Any) -> Any:
        """Send a POST request to the control API and return the JSON response."""
        response = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=120)
        assert response.ok, response.text
        return response.json()

    def followers(self, count: int = 10) -> list[str]:
        """Return the LINE IDs of the first followers."""
        line_ids: list[str] = self.get("users", limit=count)["line_ids"]
        return line_ids

    def set_user(self, line_id: str, state: str) -> None:
        """Set the state of a user."""
        self.post(f"users/{line_id}", state=state)

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self.post("clock", advance_seconds=seconds)

    def deliveries(self) -> list[dict[str, Any]]:
        """Return all deliveries."""
        deliveries: list[dict[str, Any]] = self.get("deliveries")["deliveries"]
        return deliveries

    def fault(self, kind: str, path: str = "/v2", **fields: Any) -> None:
        """Add a fault."""
        self.post("faults", kind=kind, path=path, **fields)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to LINE's API; `options` are those of `requests.request`."""
        headers = self.headers | options.pop("headers", {})
        return requests.request(
            method, self.url + path, headers=headers, timeout=options.pop("timeout", TIMEOUT), **options
        )

    def push(self, to: str, text: str = "hello", *, key: str | None = None, **fields: Any) -> requests.Response:
        """Send a push request with one text message."""
        body = {"to": to, "messages": [{"type": "text", "text": text}], **fields}
        headers = {"x-line-retry-key": key} if key else {}
        return self.request("POST", "/v2/bot/message/push", json=body, headers=headers)


class Methods:
    """Makes the methods of one of the SDK's API classes awaitable, for the synchronous and the asynchronous SDK."""

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
    """LINE's official SDK, connected to a sandbox."""

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
        """Close all connections."""
        for client in self._clients:
            closing = client.close()
            if inspect.isawaitable(closing):
                await closing
            elif hasattr(client.rest_client, "pool_manager"):
                client.rest_client.pool_manager.clear()
