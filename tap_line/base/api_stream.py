"""Base class of the streams that read LINE's API: host, token, rate limit, retries, errors and paging."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

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
from tap_line.base.pagination import ContinuationPaginator, OnePagePaginator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.pagination import BaseAPIPaginator

    from line_core.api.tokens import TokenSource

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9])")


class BearerToken(AuthBase):
    """Adds the current channel access token to each request, retries included."""

    def __init__(self, tokens: TokenSource) -> None:
        self._tokens = tokens

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._tokens.token()}"
        return request


class ApiStream(DescribedStream, RequestHooks):
    """A stream of LINE's API.

    Subclasses set `name`, `path`, the primary key and `schema`. `records_key` names the list in LINE's response: a list
    of objects, or a list of IDs that go into the column `id_column`. Without `records_key` the response is the record.
    """

    records_key: ClassVar[str | None] = None
    id_column: ClassVar[str] = "line_id"
    page_size: ClassVar[int | None] = None
    """Records per page, for an endpoint that pages by continuation tokens."""
    renamed_fields: ClassVar[Mapping[str, str]] = {"userId": "line_id"}
    """Column names by LINE's field names. All other fields become snake_case."""
    unix_time_columns: ClassVar[tuple[str, ...]] = ()
    """Columns that LINE sends as Unix time in seconds; records have them as ISO 8601 text in UTC."""
    empty_on_errors: ClassVar[tuple[type[ApiError], ...]] = ()
    """Errors that mean: there are no records, or the account is not entitled to them."""

    @property
    def url_base(self) -> str:
        url: str = self.config["api_url"]
        return url.rstrip("/")

    @property
    def authenticator(self) -> BearerToken:
        return BearerToken(self.services.tokens)

    @property
    def timeout(self) -> int:
        """Timeout in seconds, for connecting and for each read from the socket."""
        seconds: int = self.config["request_timeout_seconds"]
        return seconds

    @property
    def requests_session(self) -> requests.Session:
        """The HTTP session. It ignores proxy variables of the environment unless the settings enable them."""
        session = super().requests_session
        session.trust_env = self.config["use_proxy_from_environment"]
        return session

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield the records with LINE's field names. `post_process` renames the fields."""
        try:
            yield from self.read_records(context)
        except self.empty_on_errors as error:
            self.logger.info("no records: %s", error)

    def read_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield the records of all pages. Subclasses that do not read pages override this method."""
        yield from super().get_records(context)

    def get_new_paginator(self) -> BaseAPIPaginator[Any]:
        """Return a paginator of continuation tokens if there is a page size, else of a single page."""
        return ContinuationPaginator() if self.page_size else OnePagePaginator()

    def get_url_params(self, context: Context | None, next_page_token: str | None) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        """Return the page size and the continuation token as query parameters."""
        params = {"limit": self.page_size, "start": next_page_token}
        return {name: value for name, value in params.items() if value is not None}

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """Return the records of a response, with LINE's field names.

        Raises:
            MalformedResponseError: The response does not have the documented form.
        """
        return self.records_from_response(self.to_response(response))

    def records_from_response(self, response: Response) -> Iterable[dict[str, Any]]:
        """Return the records of a response, with LINE's field names.

        Raises:
            MalformedResponseError: The response does not have the documented form.
        """
        if self.records_key is None:
            return [response.json_object()]
        items = self.list_in(response, self.records_key)
        return [item if isinstance(item, dict) else {self.id_column: item} for item in items]

    def error_in(self, response: Response) -> ApiError | None:
        """Return the error that a response stands for, or None for a successful response."""
        return error_from_response(response, credentials_setting=self.services.tokens.setting)

    def object_in(self, response: Response) -> dict[str, Any]:
        """Return the JSON object of a response.

        Raises:
            ApiError: The response is an error, or not a JSON object.
        """
        if error := self.error_in(response):
            raise error
        return response.json_object()

    def list_in(self, response: Response, key: str) -> list[Any]:
        """Return the list under a key of a response.

        Raises:
            ApiError: The response is an error, or has no such list.
        """
        items = self.object_in(response).get(key)
        if not isinstance(items, list):
            raise MalformedResponseError.from_response(response, message=f"LINE's response has no list {key!r}")
        return items

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Return the record with column names, all columns, and times as ISO 8601 text."""
        named = {self.renamed_fields.get(name) or snake_case(name): value for name, value in row.items()}
        record = super().post_process(named, context)
        if record is not None:
            for column in self.unix_time_columns:
                if record[column] is not None:
                    record[column] = datetime.fromtimestamp(record[column], UTC).isoformat()
        return record

    def fetch(self, path: str, params: Mapping[str, Any] | None = None) -> Response:
        """GET another path with the stream's authentication, rate limit and retries.

        Raises:
            ApiError: LINE returned an error, or was not reachable.
        """
        request = self.build_prepared_request(
            method="GET", url=self.url_base + path, params=params, headers=self.http_headers
        )
        return self.to_response(self.request_decorator(self.send)(request, None))

    def request_decorator(self, func: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        """Wrap the SDK's request function in this project's retries."""

        def request(prepared: requests.PreparedRequest, context: Context | None) -> requests.Response:
            return call_with_retries(lambda: func(prepared, context), rate_limiter=self.services.rate_limiter)

        return request

    def send(self, request: requests.PreparedRequest, context: Context | None) -> requests.Response:
        """Send a request once, and once more with a new token if LINE rejects the token.

        Raises:
            ApiError: LINE returned an error, or was not reachable.
        """
        endpoint = self._endpoint_of(request)
        self.acquire_permit(endpoint)
        try:
            return super().send(request, context)
        except AuthenticationError:
            token = str(request.headers["Authorization"]).removeprefix("Bearer ")
            if not self.services.tokens.discard(token):
                raise
            self.acquire_permit(endpoint)
            return super().send(request, context)
        except requests.RequestException as failure:
            raise UnreachableError(endpoint, reason=failure_reason(failure), may_have_arrived=True) from None

    def acquire_permit(self, endpoint: str) -> None:
        """Wait until the rate limit of the endpoint allows a request."""
        self.services.rate_limiter.acquire(endpoint)

    def validate_response(self, response: requests.Response) -> None:
        """Check the status of a response.

        Raises:
            ApiError: The response is an error.
        """
        if error := self.error_in(self.to_response(response)):
            raise error

    def to_response(self, response: requests.Response) -> Response:
        """Convert a response of `requests` to the project's type."""
        return Response(self._endpoint_of(response.request), response.status_code, response.headers, response.content)

    def _endpoint_of(self, request: requests.PreparedRequest) -> str:
        return endpoint_of("GET", urlsplit((request.url or "").removeprefix(self.url_base)).path)


@cache
def snake_case(name: str) -> str:
    """Convert one of LINE's field names to a column name: `displayName` → `display_name`."""
    return _WORD_START.sub("_", name).lower()
