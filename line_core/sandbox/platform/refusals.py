"""How LINE says no. The text of each is LINE's own, as its reference gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_core.messages import Problem


class Refusal(Exception):  # noqa: N818 - an answer of the platform, not an error of the sandbox
    """LINE does not do what it was asked for."""

    status = 400

    def __init__(self, message: str, details: Sequence[Problem] = ()) -> None:
        """Say why.

        Args:
            message: LINE's words.
            details: The properties that are wrong.
        """
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidRequest(Refusal):
    """The request is wrong."""

    @classmethod
    def because(cls, *details: Problem) -> InvalidRequest:
        """Name each property that is wrong."""
        return cls(f"The request body has {len(details)} error(s)", details)

    @classmethod
    def property(cls, name: str) -> InvalidRequest:
        """Name the one property that is wrong."""
        return cls(f"The property, {name}, in the request body is invalid (line: -, column: -)")

    @classmethod
    def parameter(cls, name: str) -> InvalidRequest:
        """Name the parameter, of the path or the query, that is wrong."""
        return cls(f"The value for the '{name}' parameter is invalid")


class Unauthorized(Refusal):
    """The channel access token is wrong or has ended."""

    status = 401

    def __init__(self) -> None:
        super().__init__(
            "Authentication failed due to the following reason: invalid token. "
            "Confirm that the access token in the authorization header is valid."
        )


class Forbidden(Refusal):
    """The account may not do that."""

    status = 403


class NotFound(Refusal):
    """There is no such thing."""

    status = 404

    def __init__(self, message: str = "Not found") -> None:
        super().__init__(message)


class Gone(Refusal):
    """There was such a thing once."""

    status = 410


class AlreadyAccepted(Refusal):
    """The retry key belongs to a request that was accepted before."""

    status = 409

    def __init__(self, number: int) -> None:
        """Name the accepted request.

        Args:
            number: The accepted request's place in the delivery log.
        """
        super().__init__("The retry key is already accepted")
        self.number = number


class TooManyRequests(Refusal):
    """The endpoint was called too often, or the month's messages are used up: LINE's status is the same."""

    status = 429

    @classmethod
    def rate(cls) -> TooManyRequests:
        """The endpoint's rate limit is exceeded."""
        return cls("The API rate limit has been exceeded. Try again later.")

    @classmethod
    def quota(cls) -> TooManyRequests:
        """The month's messages are used up, or reserved."""
        return cls("You have reached your monthly limit.")
