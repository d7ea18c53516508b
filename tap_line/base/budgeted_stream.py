"""Work to the budget of LINE's insight endpoints: 60 requests an hour each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from line_core.api.errors import RateLimitError
from line_core.errors import LineError
from tap_line.base.api_stream import ApiStream

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests
    from singer_sdk.helpers.types import Context


class BudgetSpentError(LineError):
    """The endpoint's requests of this hour are used up, by this run or others."""


class BudgetedStream(ApiStream):
    """A stream that ends cleanly when its endpoint's budget is spent; the next run goes on where it ended.

    What it reads it must note in its state record by record.
    """

    def get_records(self, context: Context | None) -> Iterable[dict[str, Any]]:
        """The records that the budget suffices for."""
        try:
            yield from super().get_records(context)
        except BudgetSpentError as spent:
            self.logger.info("%s; the next run goes on from here", spent)

    def pace(self, endpoint: str) -> None:
        """Take a request from the budget.

        Raises:
            BudgetSpentError: None is left.
        """
        if not self.tap.rate_limiter.try_acquire(endpoint):
            raise BudgetSpentError(f"the requests that LINE allows in an hour are used up ({endpoint})")

    def validate_response(self, response: requests.Response) -> None:
        """Let a success pass.

        Raises:
            BudgetSpentError: LINE has had enough requests, of other runs too.
            ApiError: It is another error.
        """
        try:
            super().validate_response(response)
        except RateLimitError as error:
            raise BudgetSpentError(str(error)) from None
