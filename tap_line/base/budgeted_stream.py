"""Base class of the streams whose endpoints allow 60 requests per hour (LINE's insight endpoints)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.api.errors import RateLimitError
from line_core.errors import LineError
from tap_line.base.api_stream import ApiStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests
    from singer_sdk.helpers.types import Context


class BudgetExhaustedError(LineError):
    """This hour's requests of the endpoint are used up, by this run or by others."""


class BudgetedStream(ApiStream):
    """A stream that ends without an error when the hourly request budget of its endpoint is used up.

    The next run continues where this run ended. Subclasses must save bookmarks after each request.
    """

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """Yield records until the budget is used up."""
        try:
            yield from super().get_records(context)
        except BudgetExhaustedError as error:
            self.logger.info("%s; the next run continues from here", error)

    def acquire_permit(self, endpoint: str) -> None:
        """Use one request of the budget, without waiting.

        Raises:
            BudgetExhaustedError: The budget is used up.
        """
        if not self.services.rate_limiter.try_acquire(endpoint):
            raise BudgetExhaustedError(f"the requests that LINE allows per hour are used up ({endpoint})")

    def validate_response(self, response: requests.Response) -> None:
        """Check the status of a response.

        Raises:
            BudgetExhaustedError: LINE returned 429, for example because of requests of other programs.
            ApiError: The response is another error.
        """
        try:
            super().validate_response(response)
        except RateLimitError as error:
            raise BudgetExhaustedError(str(error)) from None
