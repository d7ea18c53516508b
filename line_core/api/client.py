"""The asyncio client for bulk requests: one GET per follower, one POST per personal message.

Other requests use `requests` and the SDK's `RESTStream`, which are simpler. With a latency of 50 ms only the asyncio
client reaches LINE's limit of 2,000 requests per second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import aiohttp

from line_core.api.activity import ClientActivity
from line_core.api.endpoints import endpoint_of
from line_core.api.errors import UnreachableError, error_from_response, failure_reason
from line_core.api.response import Response
from line_core.api.retry import RETRIABLE_ERRORS, Retries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

    from line_core.api.rate_limit.limiter import RateLimiter
    from line_core.api.tokens import TokenSource

DEFAULT_CONNECTIONS = 256
DEFAULT_TIMEOUT_SECONDS = 30.0

_CONNECT_SECONDS = 10.0
_UNAUTHORIZED = 401
BeforeSend = Callable[[], Awaitable[None] | None]
"""The last check of a request, after all waiting. It raises an error to hold the request back. If it returns an
awaitable, the client awaits it and checks again."""

_before_send: ContextVar[BeforeSend | None] = ContextVar("before_send", default=None)
# Without a connection LINE cannot have received the request.
_NOT_SENT_ERRORS = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class LineClient:
    """Sends requests to LINE concurrently, within LINE's rate limits. Use it in an `async with` block."""

    def __init__(  # noqa: PLR0913 - options, all by name
        self,
        api_url: str,
        tokens: TokenSource,
        rate_limiter: RateLimiter,
        *,
        connections: int = DEFAULT_CONNECTIONS,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        trust_env: bool = False,
    ) -> None:
        """Store the options; `async with` opens the session.

        Args:
            api_url: Base URL of the Messaging API.
            tokens: Provides the token of each request.
            rate_limiter: The channel's rate limiter.
            connections: Maximum number of requests in flight.
            timeout_seconds: Timeout of one request, from connecting to the last byte of the response.
            trust_env: Whether to use the proxy that the environment names.
        """
        self._api_url = api_url.rstrip("/")
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=_CONNECT_SECONDS)
        self._trust_env = trust_env
        self._slots = asyncio.Semaphore(connections)
        self._renewal = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None
        self.activity = ClientActivity()

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        tokens: TokenSource,
        rate_limiter: RateLimiter,
        *,
        connections: int = DEFAULT_CONNECTIONS,
    ) -> Self:
        """Create a client from the settings of a tap or target."""
        return cls(
            config["api_url"],
            tokens,
            rate_limiter,
            connections=connections,
            timeout_seconds=config["request_timeout_seconds"],
            trust_env=config["use_proxy_from_environment"],
        )

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=_CheckingConnector(limit=self._connections),
            timeout=self._timeout,
            trust_env=self._trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def request(  # noqa: PLR0913 - the parts of a request, by name
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        before_send: BeforeSend | None = None,
    ) -> Response:
        """Send one request within the rate limits and return the response, whatever its status.

        The request is repeated once if LINE refuses the token (401) and the token source can issue another one.
        Otherwise it is not retried.

        Args:
            method: HTTP method.
            path: Path below the API's URL.
            body: Encoded JSON.
            headers: Additional headers, such as `X-Line-Retry-Key`.
            params: Query parameters.
            before_send: Called when nothing is left to wait for, before the request leaves. Its errors are raised.

        Raises:
            UnreachableError: The connection failed or timed out.
            ApiError: LINE issued no token.
        """
        endpoint = endpoint_of(method, path)
        options = _Options(body, params, before_send)
        all_headers = dict(headers or {})
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        async with self._slots:
            token = await self._token()
            response = await self._send(endpoint, method, path, all_headers | _authorization(token), options)
            if response.status == _UNAUTHORIZED and self._tokens.discard(token):
                token = await self._token()
                response = await self._send(endpoint, method, path, all_headers | _authorization(token), options)
        return response

    async def get(self, path: str, *, params: Mapping[str, str] | None = None) -> Response:
        """Send a GET request with retries; see `request_with_retries`."""
        return await self.request_with_retries("GET", path, params=params)

    async def request_with_retries(
        self, method: str, path: str, *, body: bytes | None = None, params: Mapping[str, str] | None = None
    ) -> Response:
        """Send a request that may be repeated because it changes nothing at LINE.

        It is retried while LINE is unreachable, responds with a status of 500 or above, or with a rate limit (429).

        Returns:
            The first response with another status, such as 200, 403 or 404.

        Raises:
            ApiError: The failure of the last attempt, or LINE issued no token.
        """
        retries = Retries(self._rate_limiter)
        while True:
            try:
                response = await self.request(method, path, body=body, params=params)
                error = error_from_response(response)
                if isinstance(error, RETRIABLE_ERRORS):
                    raise error
            except RETRIABLE_ERRORS as failure:
                await asyncio.sleep(retries.pause_after(failure))
            else:
                return response

    async def _token(self) -> str:
        token = self._tokens.cached()
        if token is None:
            async with self._renewal:
                token = await asyncio.to_thread(self._tokens.token)
        return token

    async def _send(
        self, endpoint: str, method: str, path: str, headers: Mapping[str, str], options: _Options
    ) -> Response:
        if self._session is None:
            raise RuntimeError("use the client in an `async with` block")
        with self.activity.waiting_for_permit(endpoint):
            await self._rate_limiter.acquire_async(endpoint)
        _before_send.set(options.before_send)
        request = self._session.request(
            method,
            self._api_url + path,
            headers=headers,
            allow_redirects=False,
            data=options.body,
            params=options.params,
        )
        try:
            with self.activity.waiting_for_response(endpoint):
                async with request as response:
                    return Response(endpoint, response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            may_have_arrived = not isinstance(error, _NOT_SENT_ERRORS)
            raise UnreachableError(endpoint, reason=failure_reason(error), may_have_arrived=may_have_arrived) from None


class _CheckingConnector(aiohttp.TCPConnector):
    """Makes the last check of a request when it has a connection: opening one can take long too."""

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        before_send = _before_send.get()
        try:
            while before_send and (check := before_send()) is not None:
                await check
        except BaseException:
            connection.close()
            raise
        return connection


class _Options(NamedTuple):
    body: bytes | None
    params: Mapping[str, str] | None
    before_send: BeforeSend | None


def _authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
