"""What the streams of LINE's API share: host, token, pacing, retries, errors and paging."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from singer_sdk.pagination import BaseAPIPaginator, SinglePagePaginator

from line_core.api.endpoints import endpoint_of
from line_core.api.errors import (
    ApiError,
    AuthenticationError,
    MalformedResponseError,
    UnreachableError,
    error_from_response,
    failure_reason,
)
from line_core.api.response import Response
from line_core.api.retry import call_with_retries
from line_core.singer.hooks import RequestHooks
from tap_line.base.described_stream import DescribedStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from singer_sdk.helpers.types import Context, Record

    from line_core.api.tokens import TokenSource

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])")


class BearerToken(AuthBase):
    """Puts the channel access token of the moment on each request, retries included."""

    def __init__(self, tokens: TokenSource) -> None:
        """Take tokens from a source."""
        self._tokens = tokens

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        request.headers["Authorization"] = f"Bearer {self._tokens.token()}"
        return request


class ContinuationPaginator(BaseAPIPaginator[str | None]):
    """Follows LINE's `next` tokens. A page may be empty and yet have a next one."""

    def __init__(self, start: str | None = None) -> None:
        """Begin at the first page, or where a token says."""
        super().__init__(start)

    def continue_if_empty(self, response: requests.Response) -> bool:  # noqa: ARG002 - the SDK's signature
        """Always: `advance` finds the end."""
        return True

    def get_next(self, response: requests.Response) -> str | None:
        """The token of the next page, None at the end."""
        token: str | None = response.json().get("next")
        return token


class OnePagePaginator(SinglePagePaginator):
    """There is one page; that it may be empty is nothing to speak of."""

    def continue_if_empty(self, response: requests.Response) -> bool:  # noqa: ARG002 - the SDK's signature
        """Go on to the end, rather than stop with a word in the log."""
        return True


class ApiStream(DescribedStream, RequestHooks):
    """A stream of LINE's API.

    Subclasses say `name`, `path`, keys and `schema`, and in `records_key` where in the answer the records are: a list
    of objects, or of ids, which `id_column` then names. Without a `records_key` the answer itself is the record.
    """

    records_key: ClassVar[str | None] = None
    id_column: ClassVar[str] = "line_id"
    page_size: ClassVar[int | None] = None
    """Records to ask for at once, of an endpoint that pages by continuation tokens."""
    renamed: ClassVar[Mapping[str, str]] = {"userId": "line_id"}
    nothing_if: ClassVar[tuple[type[ApiError], ...]] = ()
    """Errors by which LINE says that there is nothing to read here, or not for this account."""

    @property
    def url_base(self) -> str:
        """The API's base URL."""
        url: str = self.config["api_url"]
        return url.rstrip("/")

    @property
    def authenticator(self) -> BearerToken:
        """The channel's token on every request."""
        return BearerToken(self.tap.tokens)

    @property
    def timeout(self) -> int:
        """Seconds to wait for a connection, and for each piece of an answer."""
        seconds: int = self.config["request_timeout_seconds"]
        return seconds

    @property
    def requests_session(self) -> requests.Session:
        """The session, deaf to the environment unless the settings say otherwise."""
        session = super().requests_session
        session.trust_env = self.config["use_proxy_from_environment"]
        return session

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The records, with LINE's own names; `post_process` gives them ours."""
        try:
            yield from self.read(context)
        except self.nothing_if as error:
            self.logger.info("nothing to read: %s", error)

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The records of all pages; streams that read otherwise say how here."""
        yield from super().get_records(context)

    def get_new_paginator(self) -> BaseAPIPaginator[Any]:
        """Continuation tokens if there is a page size, a single page otherwise."""
        return ContinuationPaginator() if self.page_size else OnePagePaginator()

    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        """Page size and continuation token."""
        params = {"limit": self.page_size, "start": next_page_token}
        return {name: value for name, value in params.items() if value is not None}

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The records of one answer, with LINE's own names.

        Raises:
            MalformedResponseError: The answer is not what LINE documents.
        """
        return self.records_of(self.reply_of(response))

    def records_of(self, reply: Response) -> Iterable[dict[str, Any]]:
        """The records of one answer, with LINE's own names.

        Raises:
            MalformedResponseError: The answer is not what LINE documents.
        """
        if self.records_key is None:
            return [reply.json_object()]
        items = self.list_of(reply, self.records_key)
        return [item if isinstance(item, dict) else {self.id_column: item} for item in items]

    def body_of(self, reply: Response) -> dict[str, Any]:
        """The object that LINE answered with.

        Raises:
            ApiError: It answered with an error, or with something else.
        """
        if error := error_from_response(reply, credentials_setting=self.tap.tokens.setting):
            raise error
        return reply.json_object()

    def list_of(self, reply: Response, key: str) -> list[Any]:
        """The list that LINE's answer must hold.

        Raises:
            ApiError: It answered with an error, or with something else.
        """
        items = self.body_of(reply).get(key)
        if not isinstance(items, list):
            raise MalformedResponseError.from_response(reply, message=f"LINE's answer has no list {key!r}")
        return items

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Give LINE's fields their column names, and the record all columns."""
        named = {self.renamed.get(name) or snake_case(name): value for name, value in row.items()}
        return super().post_process(named, context)

    def fetch(self, path: str, params: Mapping[str, Any] | None = None) -> Response:
        """GET something beside the stream's own pages, as those are got.

        Raises:
            ApiError: It cannot be had.
        """
        request = self.build_prepared_request(
            method="GET", url=self.url_base + path, params=params, headers=self.http_headers
        )
        return self.reply_of(self.request_decorator(self.send)(request, None))

    def request_decorator(self, func: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        """Pace and retry as everything that asks LINE does."""

        def request(prepared: requests.PreparedRequest, context: Context | None) -> requests.Response:
            return call_with_retries(lambda: func(prepared, context), rate_limiter=self.tap.rate_limiter)

        return request

    def send(self, request: requests.PreparedRequest, context: Context | None) -> requests.Response:
        """Send a request once, and once more with a new token if LINE rejects the token.

        Raises:
            ApiError: LINE responds with an error or cannot be reached.
        """
        endpoint = self._endpoint_of(request)
        self.pace(endpoint)
        try:
            return super().send(request, context)
        except AuthenticationError:
            token = str(request.headers["Authorization"]).removeprefix("Bearer ")
            if not self.tap.tokens.discard(token):
                raise
            self.pace(endpoint)
            return super().send(request, context)
        except requests.RequestException as failure:
            raise UnreachableError(endpoint, reason=failure_reason(failure), may_have_arrived=True) from None

    def pace(self, endpoint: str) -> None:
        """Wait for the endpoint's next place."""
        self.tap.rate_limiter.acquire(endpoint)

    def validate_response(self, response: requests.Response) -> None:
        """Let a success pass.

        Raises:
            ApiError: It is none.
        """
        error = error_from_response(self.reply_of(response), credentials_setting=self.tap.tokens.setting)
        if error:
            raise error

    def reply_of(self, response: requests.Response) -> Response:
        """What LINE answered."""
        return Response(self._endpoint_of(response.request), response.status_code, response.headers, response.content)

    def _endpoint_of(self, request: requests.PreparedRequest) -> str:
        return endpoint_of("GET", urlsplit((request.url or "").removeprefix(self.url_base)).path)


@cache
def snake_case(name: str) -> str:
    """The column name of one of LINE's field names: `displayName` → `display_name`."""
    return _WORD_START.sub("_", name).lower()
