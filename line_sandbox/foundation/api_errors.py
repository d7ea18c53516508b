"""Error responses of the API. Each message is LINE's text, as its reference gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from line_core.messages import Problem


class ErrorResponse(Exception):  # noqa: N818 - an expected response of the API, not an error of the sandbox
    """The platform rejects a request; the server sends this as the response."""

    status = 400

    def __init__(self, message: str, details: Sequence[Problem] | None = None) -> None:
        """Create the response.

        Args:
            message: LINE's text.
            details: One entry for each invalid property; None if the body has no `details`. LINE's errors about rich
                menus have empty ones.
        """
        super().__init__(message)
        self.message = message
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return LINE's error body."""
        if self.details is None:
            return {"message": self.message}
        details = [{"message": problem.message, "property": problem.property} for problem in self.details]
        return {"message": self.message, "details": details}

    def headers(self) -> dict[str, str]:
        """Return the headers that this error adds to the response."""
        return {}


class InvalidRequest(ErrorResponse):
    """A part of the request is invalid."""

    @classmethod
    def with_details(cls, *details: Problem) -> InvalidRequest:
        """Report each invalid property of the body."""
        return cls(f"The request body has {len(details)} error(s)", details)

    @classmethod
    def for_property(cls, name: str) -> InvalidRequest:
        """Report one invalid property of the body, without details."""
        return cls(f"The property, {name}, in the request body is invalid (line: -, column: -)")

    @classmethod
    def for_parameter(cls, name: str) -> InvalidRequest:
        """Report an invalid path or query parameter."""
        return cls(f"The value for the '{name}' parameter is invalid")

    @classmethod
    def for_page_token(cls) -> InvalidRequest:
        """Report an invalid or expired page token."""
        return cls("Invalid start param")


class MessageErrorResponse(InvalidRequest):
    """A message object is invalid; each detail has a path inside it, such as `template/actions/0/uri`."""

    def __init__(self, index: int, details: Sequence[dict[str, str]]) -> None:
        """Create the response.

        Args:
            index: Index of the message in the request.
            details: LINE's details.
        """
        # LINE's text has a no-break space, as in line/line-bot-sdk-python#314.
        super().__init__(f"A message (messages[{index}])\N{NO-BREAK SPACE}in the request body is invalid")
        self._details = details

    def body(self) -> dict[str, Any]:
        """Return LINE's error body."""
        return {"message": self.message, "details": self._details}


class Unauthorized(ErrorResponse):
    """The channel access token is invalid or expired."""

    status = 401

    def __init__(self) -> None:
        super().__init__(
            "Authentication failed due to the following reason: invalid token. "
            "Confirm that the access token in the authorization header is valid."
        )


class Forbidden(ErrorResponse):
    """The account may not use this API."""

    status = 403

    @classmethod
    def for_account_type(cls) -> Forbidden:
        """Report that LINE offers this API to other types of account only."""
        return cls("Access to this API is not available for your account")


class NotFound(ErrorResponse):
    """The endpoint or the object does not exist."""

    status = 404

    def __init__(self, message: str = "Not found", details: Sequence[Problem] | None = None) -> None:
        super().__init__(message, details)


class AlreadyAccepted(ErrorResponse):
    """An earlier request with the same retry key was accepted."""

    status = 409

    def __init__(self, request_id: str, sent_messages: Sequence[dict[str, str]] | None) -> None:
        """Create the response.

        Args:
            request_id: LINE's id of the accepted request.
            sent_messages: `sentMessages` of the accepted request if it was a push, else None.
        """
        super().__init__("The retry key is already accepted")
        self.request_id = request_id
        self.sent_messages = sent_messages

    def body(self) -> dict[str, Any]:
        """Return LINE's error body, with `sentMessages` for a push."""
        return super().body() | ({} if self.sent_messages is None else {"sentMessages": self.sent_messages})

    def headers(self) -> dict[str, str]:
        """Return the id of the accepted request."""
        return {"x-line-accepted-request-id": self.request_id}


class Gone(ErrorResponse):
    """The object no longer exists."""

    status = 410


class TooLarge(ErrorResponse):
    """The body exceeds LINE's size limit."""

    status = 413

    def __init__(self) -> None:
        super().__init__("Request entity too large")


class UnsupportedMediaType(ErrorResponse):
    """The endpoint does not accept this content type."""

    status = 415

    def __init__(self, media_type: str) -> None:
        super().__init__(f"The content type, {media_type}, is not supported")


class Unprocessable(ErrorResponse):
    """A notification message cannot be sent to a phone number."""

    status = 422


class TooManyRequests(ErrorResponse):
    """A rate limit is exceeded or the monthly quota is used up; LINE uses one status for both."""

    status = 429

    @classmethod
    def for_rate_limit(cls) -> TooManyRequests:
        """Report that the endpoint's rate limit is exceeded."""
        return cls("The API rate limit has been exceeded. Try again later.")

    @classmethod
    def for_quota(cls) -> TooManyRequests:
        """Report that the monthly quota is used up or reserved."""
        return cls("You have reached your monthly limit.")


class OAuthErrorResponse(ErrorResponse):
    """A token endpoint rejects a request; the body has the OAuth format."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(description or error)
        self.error = error
        self.description = description

    def body(self) -> dict[str, Any]:
        """Return the OAuth error body."""
        return {"error": self.error} | ({"error_description": self.description} if self.description else {})


class AudienceErrorResponse(ErrorResponse):
    """An audience endpoint rejects a request; `details` holds one of LINE's audience error codes."""

    def __init__(self, message: str, code: str, name: str | None = None) -> None:
        """Create the response.

        Args:
            message: LINE's text.
            code: LINE's audience error code.
            name: The invalid property, if the error is about one.
        """
        super().__init__(message)
        self.code = code
        self.name = name

    def body(self) -> dict[str, Any]:
        """Return LINE's error body with the code."""
        detail = {"message": self.code} | ({"property": self.name} if self.name else {})
        return {"message": self.message, "details": [detail]}
