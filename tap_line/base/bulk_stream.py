"""The bulk path: one request for each person, as many at once as LINE allows, in order and in bounded memory."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from line_core.api import LineClient
from tap_line.background_iteration import iterate_in_background
from tap_line.base.api_stream import ApiStream
from tap_line.clock import now
from tap_line.listing.listing_position import ListingPosition
from tap_line.listing.person_listing import PersonListing, ProfileSource
from tap_line.progress_log import ProgressLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from singer_sdk.helpers.types import Context

    from line_core.api.response import Response


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and what is known of its answer beforehand."""

    path: str
    known: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some questions, and where the scan goes on after them: None at its end."""

    questions: list[Question]
    then: ListingPosition | None


@dataclass(slots=True)
class _Asked:
    """A page whose questions are on their way."""

    then: ListingPosition | None
    answers: list[asyncio.Task[list[dict[str, Any]]]] = field(default_factory=list)

    async def records(self) -> list[dict[str, Any]]:
        """All answers, in the order of the questions."""
        return [record for records in await asyncio.gather(*self.answers) for record in records]


class BulkStream(ApiStream):
    """A stream that asks LINE many questions of one kind. A killed run goes on at the page where it was."""

    own_state = True

    @abstractmethod
    def first_scan(self) -> ListingPosition:
        """The scan that a run begins if there is none to go on with."""

    @abstractmethod
    def pages(self, client: LineClient, scan: ListingPosition) -> AsyncIterator[Page]:
        """The questions, from where a scan stands."""

    @abstractmethod
    def records_about(self, question: Question, reply: Response) -> list[dict[str, Any]]:
        """The records that an answer comes to.

        Raises:
            ApiError: It is no answer.
        """

    def known_total(self) -> int | None:
        """How many records there will be, as far as that is known."""
        return None

    def marks_after(self, records: list[dict[str, Any]], then: ListingPosition | None) -> dict[str, Any]:  # noqa: ARG002 - for subclasses
        """What the state is to keep, now that a page's records have been yielded."""
        return {"scan": then.mark(now()) if then else None}

    def read(self, context: Context | None) -> Iterable[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Records in the order of the questions."""
        scan = ListingPosition.resumed(self.stream_state.get("scan"), now()) or self.first_scan()
        progress = ProgressLog(self.logger, self.name.replace("_", " "), self.known_total())
        for records, then in iterate_in_background(self._answers(scan)):
            yield from records
            progress.add(len(records))
            self.save(**self.marks_after(records, then))
        self.save(scan=None)

    async def _answers(
        self, scan: ListingPosition
    ) -> AsyncIterator[tuple[list[dict[str, Any]], ListingPosition | None]]:
        """Two pages are under way at once: the next one is busy before the last question of one is answered."""
        under_way: list[_Asked] = []
        async with LineClient(
            self.url_base,
            self.tap.tokens,
            self.tap.rate_limiter,
            timeout_seconds=self.timeout,
            trust_env=self.config["use_proxy_from_environment"],
        ) as client:
            try:
                async for page in self.pages(client, scan):
                    asked = _Asked(page.then)
                    under_way.append(asked)
                    asked.answers.extend(asyncio.create_task(self._ask(client, each)) for each in page.questions)
                    if len(under_way) > 1:
                        yield await under_way[0].records(), under_way[0].then
                        del under_way[0]
                for asked in under_way:
                    yield await asked.records(), asked.then
            finally:
                answers = [answer for asked in under_way for answer in asked.answers]
                for answer in answers:
                    answer.cancel()
                await asyncio.gather(*answers, return_exceptions=True)

    async def _ask(self, client: LineClient, question: Question) -> list[dict[str, Any]]:
        return self.records_about(question, await client.get(question.path))


class PerPersonStream(BulkStream):
    """A stream that asks LINE about each person, at `path` with `{line_id}` in it."""

    def first_scan(self) -> ListingPosition:
        """From the first of the people that the settings name."""
        source = ProfileSource.INBOX if self._source is ProfileSource.INBOX else ProfileSource.FOLLOWERS
        return ListingPosition(now(), source)

    async def pages(self, client: LineClient, scan: ListingPosition) -> AsyncIterator[Page]:
        """A question for each person, a thousand a page."""
        async for people in PersonListing(self._source, client, self.tap.friends).pages(scan):
            line_ids = await self.to_ask(people.line_ids)
            questions = [Question(self.path.format(line_id=line_id), {"userId": line_id}) for line_id in line_ids]
            yield Page(questions, people.then)

    async def to_ask(self, line_ids: list[str]) -> list[str]:
        """Those of a page of people whom LINE has to be asked about: all, unless a stream knows better."""
        return line_ids

    def known_total(self) -> int:
        """As many as were listed, or are known, before."""
        return self.tap.friends.count(listed=self._source is ProfileSource.FOLLOWERS)

    @property
    def _source(self) -> ProfileSource:
        return ProfileSource(self.config["profile_source"])
