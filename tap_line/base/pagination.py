"""Paginators for the three ways in which LINE's endpoints return lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.pagination import BaseAPIPaginator, PageNumberPaginator, SinglePagePaginator

if TYPE_CHECKING:
    import requests


class ContinuationPaginator(BaseAPIPaginator[str | None]):
    """Follows LINE's continuation tokens (`next`). An empty page can have a next page."""

    def __init__(self, start: str | None = None) -> None:
        """Start at the page of a continuation token, or at the first page."""
        super().__init__(start)

    def continue_if_empty(self, response: requests.Response) -> bool:  # noqa: ARG002 - the SDK's signature
        """Return True: the missing token marks the end, not an empty page."""
        return True

    def get_next(self, response: requests.Response) -> str | None:
        """Return the token of the next page, or None after the last page."""
        token: str | None = response.json().get("next")
        return token


class NumberedPagePaginator(PageNumberPaginator):
    """Counts pages from 1 while LINE's response has `hasNextPage`."""

    def __init__(self) -> None:
        super().__init__(1)

    def has_more(self, response: requests.Response) -> bool:
        return bool(response.json().get("hasNextPage"))


class OnePagePaginator(SinglePagePaginator):
    """Reads one page. An empty page is not worth a log line."""

    def continue_if_empty(self, response: requests.Response) -> bool:  # noqa: ARG002 - the SDK's signature
        """Return True, because the SDK would log that an empty page ended the stream."""
        return True
