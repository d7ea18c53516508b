"""How LINE says no. The text of each is LINE's own, as its reference gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

    def body(self) -> dict[str, Any]:
        """LINE's error body."""
        if not self.details:
            return {"message": self.message}
        details = [{"message": problem.message, "property": problem.property} for problem in self.details]
        return {"message": self.message, "details": details}

    def headers(self) -> dict[str, str]:
        """What LINE tells besides."""
        return {}


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

    @classmethod
    def page_token(cls) -> InvalidRequest:
        """The token for the next page is none, or has ended."""
        return cls("Invalid start param")


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

    @classmethod
    def account(cls) -> Forbidden:
        """LINE gives this call to other kinds of account only."""
        return cls("Access to this API is not available for your account")


class NotFound(Refusal):
    """There is no such thing."""

    status = 404

    def __init__(self, message: str = "Not found", details: Sequence[Problem] = ()) -> None:
        super().__init__(message, details)


class AlreadyAccepted(Refusal):
    """The retry key belongs to a request that was accepted before."""

    status = 409

    def __init__(self, request_id: str, sent_messages: Sequence[dict[str, str]] | None) -> None:
        """Name the accepted request.

        Args:
            request_id: LINE's id for it.
            sent_messages: What a push was answered; None for others.
        """
        super().__init__("The retry key is already accepted")
        self.request_id = request_id
        self.sent_messages = sent_messages

    def body(self) -> dict[str, Any]:
        """The error, and what the accepted push was answered."""
        return super().body() | ({} if self.sent_messages is None else {"sentMessages": self.sent_messages})

    def headers(self) -> dict[str, str]:
        """The accepted request's id."""
        return {"x-line-accepted-request-id": self.request_id}


class Gone(Refusal):
    """There was such a thing once."""

    status = 410


class TooLarge(Refusal):
    """The body is larger than LINE takes."""

    status = 413

    def __init__(self) -> None:
        super().__init__("Request entity too large")


class UnsupportedMediaType(Refusal):
    """Files of this kind are not taken."""

    status = 415

    def __init__(self, media_type: str) -> None:
        super().__init__(f"The content type, {media_type}, is not supported")


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


class TokenRefusal(Refusal):
    """A token is not issued, or not known; the body is that of OAuth."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(description or error)
        self.error = error
        self.description = description

    def body(self) -> dict[str, Any]:
        """OAuth's error body."""
        return {"error": self.error} | ({"error_description": self.description} if self.description else {})


class AudienceRefusal(Refusal):
    """An audience cannot be made or changed; the detail is one of LINE's codes."""

    def __init__(self, message: str, code: str, name: str | None = None) -> None:
        """Say why.

        Args:
            message: LINE's words.
            code: LINE's code.
            name: The property that is wrong.
        """
        super().__init__(message)
        self.code = code
        self.name = name

    def body(self) -> dict[str, Any]:
        """The error with its code."""
        detail = {"message": self.code} | ({"property": self.name} if self.name else {})
        return {"message": self.message, "details": [detail]}
