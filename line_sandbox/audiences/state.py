"""Audiences: lists of users that narrowcasts can address.

Source: LINE Messaging API reference, "Managing Audience".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from line_sandbox.foundation.api_errors import AudienceErrorResponse, TooManyRequests
from line_sandbox.foundation.seeded_random import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from line_sandbox.foundation.clock import Clock

MAX_AUDIENCES = 1000
MAX_DESCRIPTION_LENGTH = 120
MAX_UPLOAD_DESCRIPTION_LENGTH = 300
MAX_RUNNING_JOBS = 10
MIN_DISPLAYED_COUNT = 20
JOB_SECONDS = 5.0
LIFETIME_SECONDS = 180 * 24 * 3600

_STORED_JOBS = 50
_UNRESTRICTED_TYPES = ("UPLOAD", "CHAT_TAG")
_FIRST_AUDIENCE_ID = 5614991017776
_FIRST_JOB_ID = 12345678
# Audiences that exist at the start, as if created in the account manager: type, description, route, members per 1,000
# users.
_INITIAL_AUDIENCES = (
    ("CHAT_TAG", "VIP", "OA_MANAGER", 40),
    ("FRIEND_PATH", "Added by QR code", "OA_MANAGER", 300),
    ("CLICK", "Tapped the spring sale", "OA_MANAGER", 120),
    ("IMP", "Saw the spring sale", "OA_MANAGER", 520),
    ("UPLOAD", "顧客リスト 2025", "OA_MANAGER", 200),
    ("RICHMENU_CLICK", "Tapped the menu", "OA_MANAGER", 90),
    ("WEBTRAFFIC", "Visited the shop", "AD_MANAGER", 10),
)
_INITIAL_AUDIENCE_INTERVAL_SECONDS = 7 * 24 * 3600


@dataclass(slots=True)
class UploadJob:
    """One upload to an audience."""

    id: int
    description: str | None
    added_count: int
    created_at: float
    """Seconds since 1970."""

    def status(self, now: float) -> str:
        """Return LINE's job status."""
        if now < self.created_at + JOB_SECONDS / 2:
            return "QUEUED"
        return "WORKING" if now < self.created_at + JOB_SECONDS else "FINISHED"


@dataclass(slots=True)
class Audience:
    """An audience; times are in seconds since 1970."""

    id: int
    type: str
    description: str
    created_at: float
    route: str = "MESSAGING_API"
    is_ifa: bool = False
    request_id: str | None = None
    click_url: str | None = None
    members: Collection[int] = frozenset()
    """Numbers of the users that the channel knows."""
    other_ids: int = 0
    """Number of uploaded IDs that the channel does not know: IFAs, or user IDs of other providers."""
    jobs: list[UploadJob] = field(default_factory=list)

    @property
    def can_write(self) -> bool:
        """Whether the API may change it."""
        return self.route == "MESSAGING_API"

    @property
    def is_restricted(self) -> bool:
        """Whether LINE requires at least 50 members to send to it."""
        return self.type not in _UNRESTRICTED_TYPES

    @property
    def expires_at(self) -> float:
        """When it expires."""
        return self.created_at + LIFETIME_SECONDS

    @property
    def displayed_count(self) -> int:
        """`audienceCount`: LINE returns 0 for small restricted audiences."""
        count = len(self.members) + self.other_ids
        return count if count >= MIN_DISPLAYED_COUNT or not self.is_restricted else 0

    def status(self, now: float) -> str:
        """Return LINE's status."""
        if now >= self.expires_at:
            return "EXPIRED"
        return "IN_PROGRESS" if now < self.created_at + JOB_SECONDS else "READY"


class AudienceStore:
    """The account's audiences."""

    def __init__(self, *, user_count: int, clock: Clock, seed: int) -> None:
        """Create the initial audiences.

        Args:
            user_count: Number of users that the channel knows.
            clock: Determines the status of uploads and audiences.
            seed: Determines the members of the initial audiences.
        """
        self._clock = clock
        self._audiences: dict[int, Audience] = {}
        self._next_id = _FIRST_AUDIENCE_ID
        self._next_job_id = _FIRST_JOB_ID
        random = SeededRandom(seed, "audiences")
        for index, (audience_type, description, route, per_thousand) in enumerate(_INITIAL_AUDIENCES):
            age = (len(_INITIAL_AUDIENCES) - index) * _INITIAL_AUDIENCE_INTERVAL_SECONDS
            audience = self._add(audience_type, description, created_at=clock.now() - age, route=route)
            size = user_count * per_thousand // 1000
            first = random.integer(index) % (user_count - size + 1)
            audience.members = range(first, first + size)

    def create(self, audience_type: str, description: str, **fields: str | bool | None) -> Audience:
        """Create an audience through the API.

        Args:
            audience_type: LINE's type: `UPLOAD`, `CLICK`, `IMP`.
            description: LINE's name for it.
            fields: Further fields of `Audience`.

        Raises:
            AudienceErrorResponse: The description is invalid, the limit of audiences is reached, or the same audience
                of a message exists.
        """
        check_description(description)
        if len(self._audiences) >= MAX_AUDIENCES:
            raise AudienceErrorResponse("audience group count max over", "AUDIENCE_GROUP_COUNT_MAX_OVER")
        request_id, click_url = fields.get("request_id"), fields.get("click_url")
        if request_id and any(
            (other.type, other.request_id, other.click_url) == (audience_type, request_id, click_url)
            for other in self._audiences.values()
        ):
            raise AudienceErrorResponse("request id duplicate", "AUDIENCE_GROUP_REQUESTID_DUPLICATE")
        return self._add(audience_type, description, created_at=self._clock.now(), **fields)

    def add_users(self, audience: Audience, numbers: Iterable[int], other_ids: int, description: str | None) -> None:
        """Add uploaded users to an audience.

        Args:
            audience: The audience.
            numbers: Numbers of known users.
            other_ids: Number of uploaded IDs that the channel does not know.
            description: Description of the upload.

        Raises:
            AudienceErrorResponse: The description is too long, or the audience has expired.
            TooManyRequests: Ten uploads to the audience are running.
        """
        if description is not None and len(description) > MAX_UPLOAD_DESCRIPTION_LENGTH:
            raise AudienceErrorResponse("size over uploadDescription", "AUDIENCE_GROUP_UPLOAD_DESCRIPTION_SIZE_OVER")
        now = self._clock.now()
        if now >= audience.expires_at:
            raise AudienceErrorResponse("audience group expired", "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED")
        if sum(job.status(now) != "FINISHED" for job in audience.jobs) >= MAX_RUNNING_JOBS:
            raise TooManyRequests.for_rate_limit()
        before = set(audience.members)
        added = set(numbers) - before
        audience.members = before | added
        audience.other_ids += other_ids
        audience.jobs.append(UploadJob(self._next_job_id, description, len(added) + other_ids, now))
        del audience.jobs[:-_STORED_JOBS]
        self._next_job_id += 1

    def find(self, audience_id: object) -> Audience:
        """Return an audience by its id.

        Raises:
            AudienceErrorResponse: There is no such audience.
        """
        audience = self._audiences.get(audience_id) if isinstance(audience_id, int) else None
        if audience is None:
            raise AudienceErrorResponse("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        return audience

    def find_writable(self, audience_id: object) -> Audience:
        """Return an audience that the API may change.

        Raises:
            AudienceErrorResponse: There is no such audience.
        """
        audience = self.find(audience_id)
        if not audience.can_write:
            raise AudienceErrorResponse("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        return audience

    def delete(self, audience_id: object) -> None:
        """Delete an audience.

        Raises:
            AudienceErrorResponse: There is no such audience.
        """
        del self._audiences[self.find(audience_id).id]

    def all(self) -> list[Audience]:
        """Return all audiences, newest first."""
        return sorted(self._audiences.values(), key=lambda audience: -audience.id)

    def _add(self, audience_type: str, description: str, *, created_at: float, **fields: object) -> Audience:
        audience = Audience(
            self._next_id,
            audience_type,
            description,
            created_at,
            **fields,  # type: ignore[arg-type] # fields of Audience by name
        )
        self._audiences[audience.id] = audience
        self._next_id += 1
        return audience


def check_description(description: str) -> None:
    """Check an audience's description, which LINE's error codes call its name.

    Raises:
        AudienceErrorResponse: The description is empty, too long, or contains control characters.
    """
    if not description.strip():
        raise AudienceErrorResponse("audienceGroupName is empty", "AUDIENCE_GROUP_NAME_EMPTY")
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise AudienceErrorResponse("size over audienceGroupName", "AUDIENCE_GROUP_NAME_SIZE_OVER")
    if any(ord(character) < ord(" ") or character == "\x7f" for character in description):
        raise AudienceErrorResponse("wrong audienceGroupName", "AUDIENCE_GROUP_NAME_WRONG")
