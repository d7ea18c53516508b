"""Audiences: lists of people to send narrowcasts to.

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
MAX_NAME = 120
MAX_UPLOAD_NAME = 300
MAX_RUNNING_JOBS = 10
SHOWN_FROM = 20
RUNNING_SECONDS = 5.0
LIFE_SECONDS = 180 * 24 * 3600

_KEPT_JOBS = 50
_UNRESTRICTED = ("UPLOAD", "CHAT_TAG")
_FIRST_ID = 5614991017776
# Audiences that the account's owner made by hand, before: type, name, people in it (for each 1,000 people there are).
_OLD = (
    ("CHAT_TAG", "VIP", "OA_MANAGER", 40),
    ("FRIEND_PATH", "Added by QR code", "OA_MANAGER", 300),
    ("CLICK", "Tapped the spring sale", "OA_MANAGER", 120),
    ("IMP", "Saw the spring sale", "OA_MANAGER", 520),
    ("UPLOAD", "顧客リスト 2025", "OA_MANAGER", 200),
    ("RICHMENU_CLICK", "Tapped the menu", "OA_MANAGER", 90),
    ("WEBTRAFFIC", "Visited the shop", "AD_MANAGER", 10),
)
_OLD_EVERY_SECONDS = 7 * 24 * 3600


@dataclass(slots=True)
class Job:
    """One upload into an audience."""

    number: int
    description: str | None
    people: int
    created: float

    def status(self, now: float) -> str:
        """What LINE calls its state."""
        if now < self.created + RUNNING_SECONDS / 2:
            return "QUEUED"
        return "WORKING" if now < self.created + RUNNING_SECONDS else "FINISHED"


@dataclass(slots=True)
class Audience:
    """An audience; times are in seconds since 1970."""

    number: int
    kind: str
    description: str
    created: float
    route: str = "MESSAGING_API"
    is_ifa: bool = False
    request_id: str | None = None
    click_url: str | None = None
    people: Collection[int] = frozenset()
    """Those whom the channel knows, by number."""
    other_ids: int = 0
    """Ids that it was given and that the channel cannot know: devices' (IFA), or foreign."""
    jobs: list[Job] = field(default_factory=list)

    @property
    def can_write(self) -> bool:
        """Whether the API may change it."""
        return self.route == "MESSAGING_API"

    @property
    def is_restricted(self) -> bool:
        """Whether it needs 50 people to be sent to."""
        return self.kind not in _UNRESTRICTED

    @property
    def ends_at(self) -> float:
        """When it expires."""
        return self.created + LIFE_SECONDS

    @property
    def shown_count(self) -> int:
        """How many people LINE says are in it."""
        count = len(self.people) + self.other_ids
        return count if count >= SHOWN_FROM or not self.is_restricted else 0

    def status(self, now: float) -> str:
        """What LINE calls its state."""
        if now >= self.ends_at:
            return "EXPIRED"
        return "IN_PROGRESS" if now < self.created + RUNNING_SECONDS else "READY"


class Audiences:
    """The audiences of an account."""

    def __init__(self, *, people: int, clock: Clock, seed: int) -> None:
        """Begin with those that the account's owner made by hand.

        Args:
            people: How many people the channel can know.
            clock: Tells how far uploads are, and what has expired.
            seed: Other seeds give other members.
        """
        self._clock = clock
        self._audiences: dict[int, Audience] = {}
        self._next = _FIRST_ID
        self._next_job = 12345678
        chance = SeededRandom(seed, "audiences")
        for place, (kind, description, route, share) in enumerate(_OLD):
            created = clock.now() - (len(_OLD) - place) * _OLD_EVERY_SECONDS
            audience = self._add(kind, description, created=created, route=route)
            size = people * share // 1000
            first = chance.integer(place) % (people - size + 1)
            audience.people = range(first, first + size)

    def create(self, kind: str, description: str, **more: str | bool | None) -> Audience:
        """Make an audience through the API.

        Args:
            kind: LINE's type: `UPLOAD`, `CLICK`, `IMP`.
            description: Its name.
            more: Further fields of `Audience`.

        Raises:
            AudienceErrorResponse: The name is not allowed, too many audiences exist, or one exists for the request.
        """
        check_name(description)
        if len(self._audiences) >= MAX_AUDIENCES:
            raise AudienceErrorResponse("audience group count max over", "AUDIENCE_GROUP_COUNT_MAX_OVER")
        request_id, click_url = more.get("request_id"), more.get("click_url")
        if request_id and any(
            (old.kind, old.request_id, old.click_url) == (kind, request_id, click_url)
            for old in self._audiences.values()
        ):
            raise AudienceErrorResponse("request id duplicate", "AUDIENCE_GROUP_REQUESTID_DUPLICATE")
        return self._add(kind, description, created=self._clock.now(), **more)

    def add_people(self, audience: Audience, people: Iterable[int], other_ids: int, description: str | None) -> None:
        """Upload people into an audience.

        Raises:
            AudienceErrorResponse: The description is too long, or the audience has expired.
            TooManyRequests: Ten uploads into it are running.
        """
        if description is not None and len(description) > MAX_UPLOAD_NAME:
            raise AudienceErrorResponse("size over uploadDescription", "AUDIENCE_GROUP_UPLOAD_DESCRIPTION_SIZE_OVER")
        now = self._clock.now()
        if now >= audience.ends_at:
            raise AudienceErrorResponse("audience group expired", "AUDIENCE_GROUP_CAN_NOT_UPLOAD_STATUS_EXPIRED")
        if sum(job.status(now) != "FINISHED" for job in audience.jobs) >= MAX_RUNNING_JOBS:
            raise TooManyRequests.for_rate_limit()
        before = set(audience.people)
        added = set(people) - before
        audience.people = before | added
        audience.other_ids += other_ids
        audience.jobs.append(Job(self._next_job, description, len(added) + other_ids, now))
        del audience.jobs[:-_KEPT_JOBS]
        self._next_job += 1

    def find(self, number: object) -> Audience:
        """An audience by its id.

        Raises:
            AudienceErrorResponse: There is none.
        """
        audience = self._audiences.get(number) if isinstance(number, int) else None
        if audience is None:
            raise AudienceErrorResponse("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        return audience

    def find_own(self, number: object) -> Audience:
        """An audience that the API may change.

        Raises:
            AudienceErrorResponse: There is none.
        """
        audience = self.find(number)
        if not audience.can_write:
            raise AudienceErrorResponse("audience group not found", "AUDIENCE_GROUP_NOT_FOUND")
        return audience

    def delete(self, number: object) -> None:
        """Delete an audience.

        Raises:
            AudienceErrorResponse: There is none.
        """
        del self._audiences[self.find(number).number]

    def all(self) -> list[Audience]:
        """All of them, the newest first."""
        return sorted(self._audiences.values(), key=lambda audience: -audience.number)

    def _add(self, kind: str, description: str, *, created: float, **more: object) -> Audience:
        audience = Audience(self._next, kind, description, created, **more)  # type: ignore[arg-type] # fields by name
        self._audiences[audience.number] = audience
        self._next += 1
        return audience


def check_name(description: str) -> None:
    """Let a name pass that LINE allows.

    Raises:
        AudienceErrorResponse: It is empty, too long, or holds control characters.
    """
    if not description.strip():
        raise AudienceErrorResponse("audienceGroupName is empty", "AUDIENCE_GROUP_NAME_EMPTY")
    if len(description) > MAX_NAME:
        raise AudienceErrorResponse("size over audienceGroupName", "AUDIENCE_GROUP_NAME_SIZE_OVER")
    if any(ord(character) < ord(" ") or character == "\x7f" for character in description):
        raise AudienceErrorResponse("wrong audienceGroupName", "AUDIENCE_GROUP_NAME_WRONG")
