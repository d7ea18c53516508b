"""A slow model of docs/identity.md, written from that page alone. It scans the list of records for each question."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tests.support.identity_model_records import KINDS, UNDATED, Claim, Known, Records, Settings, consent

if TYPE_CHECKING:
    from collections.abc import Iterable

Link = tuple[Known, Known]
"""The strongest identifier of a claim, and another identifier of it."""


@dataclass(frozen=True)
class Message:
    """What happens to a message to an identifier."""

    outcome: str
    """`send`, or why not: `shared`, `ambiguous_identity`, `unknown_recipient`, `suppressed`, `no_line_id` or
    `unfollowed`. A suppressed person is `suppressed` whatever else prevents the message.
    """
    line_id: str | None = None
    """The LINE ID that it is sent to."""


def json_text(value: Any) -> str:
    """Return the JSON text that decides between two values of the same time."""
    return json.dumps(value, sort_keys=True)


class IdentityModel:
    """The profiles, and the messages, that result from records.

    Args:
        records: Pairs of a stream role and a record, in the order of arrival.
        settings: The settings.
    """

    def __init__(self, records: Iterable[tuple[str, dict[str, Any]]], settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        read = Records(records, self.settings)
        self._read_claims = self._claims = read.claims
        self._follows = read.follows
        named = {known for claim in read.claims + read.rejected for known in claim.identifiers}
        self.shared = {known for known in named if self._is_shared(known)}
        self._claims = self._without_shared(read.claims)
        self._rejected = [claim for claim in self._without_shared(read.rejected) if self._answers(claim)]
        self.contested: set[Known] = set()
        self._profiles = self._resolve()

    # Shared identifiers (rule 7)

    def _is_shared(self, identifier: Known) -> bool:
        bounds = {
            "id": self.settings.max_identifiers_per_id,
            "email": self.settings.max_people_per_email,
            "line_id": self.settings.max_people_per_line_id,
        }
        others = {known for claim in self._claims if identifier in claim.identifiers for known in claim.identifiers}
        return len(others - {identifier}) > bounds[identifier[0]]

    def _without_shared(self, claims: list[Claim]) -> list[Claim]:
        kept = []
        for claim in claims:
            identifiers = tuple(known for known in claim.identifiers if known not in self.shared)
            if identifiers:
                kept.append(Claim(identifiers, *list(vars(claim).values())[1:]))
        return kept

    # Links (rules 2 and 5)

    def _strongest(self, claim: Claim) -> Known:
        return self.settings.strongest(claim.identifiers)

    def _links(self) -> set[Link]:
        pairs = {(self._strongest(claim), known) for claim in self._claims for known in claim.identifiers}
        return {(strong, other) for strong, other in pairs if strong != other}

    def _times(self, link: Link) -> list[float]:
        strong, other = link
        return [
            claim.time_of(other)
            for claim in self._claims
            if self._strongest(claim) == strong and other in claim.identifiers
        ]

    def _last(self, link: Link) -> float:
        return max(self._times(link))

    def _is_superseded(self, link: Link) -> bool:
        strong, other = link
        return other[0] != "id" and any(
            newer[0] == strong and newer[1][0] == other[0] and self._last(newer) > self._last(link)
            for newer in self._links()
        )

    def _is_used_by_another(self, link: Link) -> bool:
        strong, other = link
        return any(
            self._strongest(claim) != strong
            and other in claim.identifiers
            and claim.time_of(other) > self._last(link)
            and not (other[0] == "line_id" and claim.identifiers == (other,))
            for claim in self._claims
        )

    def _is_ended(self, link: Link) -> bool:
        strong, other = link
        return (
            self.settings.null_identifiers == "clear"
            and other[0] != "id"
            and any(
                self._strongest(claim) == strong and other[0] in claim.empty_kinds and claim.time > self._last(link)
                for claim in self._read_claims  # a record whose strongest identifier is shared ends nothing
            )
        )

    def _is_void(self, link: Link) -> bool:
        return self._is_ended(link) or (self._is_superseded(link) and self._is_used_by_another(link))

    def _order(self, link: Link) -> tuple[Any, ...]:
        """Return the place of a link among the links (rule 4)."""
        strong, other = link
        is_first = self.settings.identifier_conflict == "first"
        time = min(self._times(link)) if is_first else -self._last(link)
        ranks = self.settings.rank(other[0]), self.settings.rank(strong[0])
        return (self._is_superseded(link), *ranks, time, strong, other)

    # Profiles (rules 1 to 4)

    def _resolve(self) -> list[set[Known]]:
        links = sorted((link for link in self._links() if not self._is_void(link)), key=self._order)
        if self.settings.identifier_conflict == "reject":
            self._examine([link for link in links if not self._is_superseded(link)])
        profiles = [{known} for known in sorted(self._in_profiles())]
        for link in links:
            if not set(link) & self.contested:
                self._apply(link, profiles, max_line_ids=self.settings.max_line_ids_per_profile)
        return profiles

    def _examine(self, links: list[Link]) -> None:
        """Find the contested identifiers, one after the other, without regard to the number of LINE IDs."""
        profiles = [{known} for known in self._in_profiles()]
        others = {other for _, other in links}
        for examined in sorted(others, key=lambda known: (self.settings.rank(known[0]), known[1])):
            to_it = [link for link in links if link[1] == examined and link[0] not in self.contested]
            if self._is_contested(to_it, profiles):
                self.contested.add(examined)
            else:
                for link in to_it:
                    self._apply(link, profiles)

    def _in_profiles(self) -> set[Known]:
        """Return the identifiers that have a profile: those of claims, and of follows, that are not shared."""
        named = {known for claim in self._claims for known in claim.identifiers}
        return (named | {follow.line_id for follow in self._follows}) - self.shared

    def _must_separate(self, one: set[Known], other: set[Known], strongest_kinds: Iterable[str]) -> bool:
        """Return whether rule 4 separates two profiles that claims with these strongest kinds put together."""
        first, second = self.settings.identifier_precedence[:2]
        kinds = {kind for kind, _ in one} & {kind for kind, _ in other}
        return first in kinds or (second in kinds and second in strongest_kinds)

    def _is_contested(self, links: list[Link], profiles: list[set[Known]]) -> bool:
        return any(
            profile_of(one[0], profiles) is not profile_of(other[0], profiles)
            and self._must_separate(
                profile_of(one[0], profiles), profile_of(other[0], profiles), (one[0][0], other[0][0])
            )
            for one, other in combinations(links, 2)
        )

    def _apply(self, link: Link, profiles: list[set[Known]], max_line_ids: float = float("inf")) -> None:
        strong, other = (profile_of(known, profiles) for known in link)
        line_ids = [known for known in strong | other if known[0] == "line_id"]
        is_too_large = len(line_ids) > max_line_ids
        if strong is other or is_too_large or self._must_separate(strong, other, (link[0][0],)):
            return
        profiles.remove(other)
        strong |= other

    def _of_kind(self, profile: set[Known], kind: str) -> list[str]:
        """Return the values of a kind, the one that the newest of the profile's own records names first."""

        def newest(value: str) -> float:
            own = (claim for claim in self._claims if self._strongest(claim) in profile)
            return max((claim.time for claim in own if (kind, value) in claim.identifiers), default=UNDATED)

        return sorted((value for known, value in profile if known == kind), key=lambda value: (-newest(value), value))

    def _key(self, profile: set[Known]) -> Known:
        """Return the strongest identifier. Rule 4 leaves no profile with two of its strongest kind."""
        return self.settings.strongest(profile)

    # LINE IDs (rules 1 and 6)

    def _follow_state(self, line_id: Known) -> str:
        seen = [f for f in self._follows if f.line_id == line_id and f.channel == self.settings.channel]
        newest = [follow.state for follow in seen if follow.time == max(other.time for other in seen)]
        return "unfollowed" if "unfollowed" in newest else newest[0] if newest else "unknown"

    def _canonical(self, profile: set[Known]) -> str | None:
        line_ids = [known for known in profile if known[0] == "line_id"]
        preferred = sorted(line_ids, key=lambda known: (*self._preference(known, profile), known[1]))
        return preferred[0][1] if preferred else None

    def _preference(self, line_id: Known, profile: set[Known]) -> list[float]:
        """Return what the criteria of `canonical_line_id` say; smaller is better."""
        links = [
            link
            for link in self._links()
            if line_id in link and set(link) <= profile and not self._is_void(link) and not set(link) & self.contested
        ]
        state = self._follow_state(line_id)
        followed = [
            follow.followed_at
            for follow in self._follows
            if (follow.line_id, follow.channel) == (line_id, self.settings.channel)
        ]
        says = {
            "not_unfollowed": float(state == "unfollowed"),
            "strongest_claim": float(not any(self._key(profile) in link for link in links)),
            "latest_identified": -max((self._last(link) for link in links), default=UNDATED),
            "following": float(("following", "unknown", "unfollowed").index(state)),
            "latest_followed": -max(followed, default=UNDATED),
        }
        return [says[criterion] for criterion in self.settings.canonical_line_id]

    # Attributes (rule 8) and opt-outs (rule 9)

    def _suppression_name(self, name: str) -> str | None:
        """Return the name in `suppression_attributes`, which is compared without case."""
        return next((known for known in self.settings.suppression_attributes if known.lower() == name.lower()), None)

    def _answers(self, claim: Claim) -> bool:
        """Return whether a record says yes or no."""
        return any(self._suppression_name(name) and consent(value) for name, value in claim.answers)

    def _newest(self, values: list[tuple[Claim, Any]], key: Known) -> Any:
        def strength(said: tuple[Claim, Any]) -> tuple[Any, ...]:
            claim, value = said
            is_yes = consent(value) == "yes"
            return claim.time, value is not None, key in claim.identifiers, is_yes, json_text(value)

        return max(values, key=strength)[1] if values else None

    def _value(self, said: list[tuple[Claim, Any]], profile: set[Known]) -> Any:
        """Return the value that counts for a profile, of the values that its own records say."""
        key = self._key(profile)
        own = [(claim, value) for claim, value in said if self._strongest(claim) in profile]
        if self.settings.attribute_conflict == "survivor":
            of_key = self._newest([(claim, value) for claim, value in own if key in claim.identifiers], key)
            if of_key is not None:
                return of_key
            own = [(claim, value) for claim, value in own if key not in claim.identifiers]
        return self._newest(own, key)

    def _said(self, attribute: str, answer: str) -> list[tuple[Claim, Any]]:
        """Return the records, rejected ones too, that say yes or no for a suppression attribute, and their values."""
        return [
            (claim, value)
            for claim in (*self._claims, *self._rejected)
            for name, value in claim.answers
            if self._suppression_name(name) == attribute and consent(value) == answer
        ]

    def _standing(self, attribute: str) -> list[tuple[Claim, Any]]:
        """Return the records that say yes, without a later no of the same source."""
        return [
            (claim, value)
            for claim, value in self._said(attribute, "yes")
            if not any(
                self._strongest(no) == self._strongest(claim) and no.time > claim.time
                for no, _ in self._said(attribute, "no")
            )
        ]

    def _present_or_past(self, identifiers: set[Known]) -> set[Known]:
        """Return the identifiers, and all that any record names together with one of them, and so on."""
        named = set(identifiers)
        for claim in (*self._claims, *self._rejected):
            if named & set(claim.identifiers):
                named |= set(claim.identifiers)
        return named if named == identifiers else self._present_or_past(named)

    def _opt_outs(self, identifiers: set[Known], attribute: str) -> list[tuple[Claim, Any]]:
        person = self._present_or_past(identifiers)
        return [(claim, value) for claim, value in self._standing(attribute) if person & set(claim.identifiers)]

    def _attributes(self, profile: set[Known]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in {name for claim in self._claims for name in claim.attributes if not self._suppression_name(name)}:
            said = [(claim, claim.attributes[name]) for claim in self._claims if name in claim.attributes]
            values[name] = self._value(said, profile)
        for name in self.settings.suppression_attributes:
            said_yes = [(claim, value) for claim, value in self._said(name, "yes") if not claim.is_rejected]
            says_yes = [claim for claim, _ in said_yes]  # of a record that says both, the yes counts
            said_no = [
                (claim, value)
                for claim, value in self._said(name, "no")
                if not claim.is_rejected and claim not in says_yes
            ]
            opt_outs = self._opt_outs(profile, name)
            newest = max(((claim.time, json_text(value), value) for claim, value in opt_outs), default=None)
            value = self._value(said_yes + said_no, profile)
            # A yes that a rejected record took back is not shown.
            values[name] = newest[2] if newest else None if consent(value) == "yes" else value
        return {name: value for name, value in values.items() if value is not None}

    # Results

    def profiles(self) -> list[dict[str, Any]]:
        """Return the profiles as `target-line-admin identities --format jsonl` prints them, in no particular order."""
        return [self._profile(profile) for profile in self._profiles]

    def _profile(self, profile: set[Known]) -> dict[str, Any]:
        ids, emails, line_ids = (self._of_kind(profile, kind) for kind in KINDS)
        return {
            "id": ids[0] if ids else None,
            "email": emails[0] if emails else None,
            "line_id": self._canonical(profile),
            "line_ids": [
                {"line_id": line_id, "follow_state": self._follow_state(("line_id", line_id))}
                for line_id in sorted(line_ids)
            ],
            "attributes": self._attributes(profile),
            "aliases": {"ids": sorted(ids[1:]), "emails": sorted(emails[1:])},
        }

    def counts(self) -> tuple[int, int]:
        """Return the numbers of profiles that were created and merged."""
        without_links = {self._strongest(claim) for claim in self._claims} | {f.line_id for f in self._follows}
        absorbed = without_links - self.shared - {self._key(profile) for profile in self._profiles}
        return len(self._profiles) + len(absorbed), len(absorbed)

    def message_to(self, recipient: Known) -> Message:
        """Return what happens to a message to an identifier."""
        if recipient in self.shared:
            return Message("shared")
        if recipient in self.contested:
            return Message("ambiguous_identity")
        profile = next((profile for profile in self._profiles if recipient in profile), None)
        if profile is None and recipient[0] != "line_id":
            return Message("unknown_recipient")
        person = profile or {recipient}
        if any(self._opt_outs(person, attribute) for attribute in self.settings.suppression_attributes):
            return Message("suppressed")
        line_id = self._canonical(person)
        if line_id is None:
            return Message("no_line_id")
        is_unfollowed = self._follow_state(("line_id", line_id)) == "unfollowed"
        return Message("unfollowed") if is_unfollowed else Message("send", line_id)


def profile_of(identifier: Known, profiles: list[set[Known]]) -> set[Known]:
    """Return the profile that has the identifier."""
    return next(profile for profile in profiles if identifier in profile)
