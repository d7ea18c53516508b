"""The asyncio client of the two bulk paths: a GET for each follower, a POST for each personal message.

Plain requests/`RESTStream` is the simpler choice everywhere else; at 50 ms a call, only this one reaches LINE's 2,000
calls a second.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import aiohttp

from line_core.api.endpoints import endpoint_of
from line_core.api.errors import (
    RateLimitError,
    ServerError,
    UnreachableError,
    error_from_response,
    failure_reason,
)
from line_core.api.response import Response
from line_core.api.retry import pauses, slow_down

if TYPE_CHECKING:
    from collections.abc import Mapping

    from line_core.api.rate_limit.limiter import RateLimiter
    from line_core.api.tokens import TokenSource

DEFAULT_CONNECTIONS = 256
DEFAULT_TIMEOUT_SECONDS = 30.0

_CONNECT_SECONDS = 10.0
_UNAUTHORIZED = 401
# The request cannot have been sent when the connection was never made.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


class LineClient:
    """Sends requests to LINE, as many at once as there are connections, paced by LINE's rate limits.

    Use it in an `async with` block.
    """

    def __init__(  # noqa: PLR0913 - tuning, all by name
        self,
        api_url: str,
        tokens: TokenSource,
        rate_limiter: RateLimiter,
        *,
        connections: int = DEFAULT_CONNECTIONS,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        trust_env: bool = False,
    ) -> None:
        """Prepare; connections are opened as they are needed.

        Args:
            api_url: Base URL of the Messaging API.
            tokens: Where each request's token comes from.
            rate_limiter: The channel's rate limits.
            connections: Most requests under way at once.
            timeout_seconds: For one request, from connecting to the last byte of the answer.
            trust_env: Go through the proxy that the environment names.
        """
        self._api_url = api_url.rstrip("/")
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=_CONNECT_SECONDS)
        self._trust_env = trust_env
        self._slots = asyncio.Semaphore(connections)
        self._renewing = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=self._timeout,
            trust_env=self._trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request when its turn comes, and return LINE's answer, whatever its status.

        Nothing is tried again, but for one case: LINE refused an issued token (401), and another can be had.

        Args:
            method: HTTP method.
            path: Path below the API's URL.
            body: JSON, encoded.
            headers: More headers, such as `X-Line-Retry-Key`.
            params: Query parameters.

        Raises:
            UnreachableError: The transport failed or took too long; says whether LINE may have got the request.
            ApiError: No token could be had.
        """
        endpoint = endpoint_of(method, path)
        async with self._slots:
            token = await self._token()
            reply = await self._send(endpoint, method, path, token, body, headers, params)
            if reply.status == _UNAUTHORIZED and self._tokens.discard(token):
                token = await self._token()
                reply = await self._send(endpoint, method, path, token, body, headers, params)
        return reply

    async def get(self, path: str, *, params: Mapping[str, str] | None = None) -> Response:
        """GET, as `ask` does it."""
        return await self.request_with_retries("GET", path, params=params)

    async def request_with_retries(
        self, method: str, path: str, *, body: bytes | None = None, params: Mapping[str, str] | None = None
    ) -> Response:
        """Send what changes nothing at LINE, and so may be repeated.

        It is tried again with growing pauses while LINE is unreachable, fails (5xx) or is asked too often (429).

        Returns:
            The first answer with another status, such as 200, 403 or 404.

        Raises:
            UnreachableError: The last attempt's transport failed.
            ServerError: The last attempt's answer was a 5xx.
            RateLimitError: The last attempt's answer was a 429.
            ApiError: No token could be had.
        """
        failure: UnreachableError | ServerError | RateLimitError | None = None
        for pause in pauses():
            if failure:
                slow_down(failure, pause, self._rate_limiter)
                await asyncio.sleep(pause)
            try:
                reply = await self.request(method, path, body=body, params=params)
                answered = error_from_response(reply)
                if not isinstance(answered, ServerError | RateLimitError):
                    return reply
                failure = answered
            except UnreachableError as error:
                failure = error
        raise failure or AssertionError("there is at least one attempt")

    async def _token(self) -> str:
        token = self._tokens.cached()
        if token is None:
            async with self._renewing:
                token = await asyncio.to_thread(self._tokens.token)
        return token

    async def _send(  # noqa: PLR0913, PLR0917 - one request's parts, passed on as they are
        self,
        endpoint: str,
        method: str,
        path: str,
        token: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> Response:
        if self._session is None:
            raise RuntimeError("use the client in an `async with` block")
        all_headers = {"Authorization": f"Bearer {token}", **(headers or {})}
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        await self._rate_limiter.acquire_async(endpoint)
        try:
            async with self._session.request(
                method, self._api_url + path, data=body, headers=all_headers, params=params, allow_redirects=False
            ) as response:
                return Response(endpoint, response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(
                endpoint, reason=failure_reason(error), may_have_arrived=not isinstance(error, _NEVER_SENT)
            ) from None
