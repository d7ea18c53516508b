"""Explain a profile: its records, and the merge rules that produced it, as JSON and as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.identity.model import UNDATED
from line_core.identity.policy import CanonicalCriterion
from line_core.identity.rules import resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from line_core.identity.model import Claim, Correction, Evidence, Follow, Identifier
    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Merge, RejectedIdentifier

_CRITERIA = {
    CanonicalCriterion.NOT_UNFOLLOWED: "not known to have left the channel",
    CanonicalCriterion.STRONGEST_CLAIM: "claimed by the strongest identifier",
    CanonicalCriterion.FOLLOWING: "follow state",
    CanonicalCriterion.LATEST_IDENTIFIED: "newest link",
    CanonicalCriterion.LATEST_FOLLOWED: "latest time at which it was following",
}


def explain(evidence: Evidence, identifier: Identifier, policy: MergePolicy, channel: str) -> dict[str, Any]:
    """Explain the profile that has an identifier.

    Args:
        evidence: Evidence of the identifier's cluster.
        identifier: Any identifier of the profile.
        policy: Settings of the merge rules.
        channel: Name of the channel whose follow states count.

    Returns:
        `profile` (key), `identifiers`, `records` (claims), `follows`, `merges` (rule, into, from, identifier, at),
        `refused` (rejected identifiers), `corrections` (of an operator), and `canonical` (by provider: the LINE ID,
        and the LINE IDs of the provider that it was chosen from).

    Raises:
        KeyError: No profile has the identifier.
    """
    resolution = resolve(evidence, policy, channel)
    profile = resolution.profile_of(identifier)
    members = profile.identifiers
    return {
        "profile": str(profile.key),
        "identifiers": sorted(map(str, members)),
        "records": [
            _claim(claim)
            for claim in sorted(evidence.claims.values(), key=lambda claim: (claim.first_at, claim.identifiers))
            if members.intersection(claim.identifiers)
        ],
        "follows": [
            _follow(follow)
            for follow in sorted(evidence.follows.values(), key=lambda follow: (follow.line_id, follow.channel))
            if follow.line_id in members
        ],
        "merges": _merges(resolution.merges, members),
        "refused": _rejected(resolution.rejected_identifiers, members),
        "corrections": [
            _correction(correction)
            for correction in sorted(evidence.corrections)
            if members.intersection(correction.identifiers)
        ],
        "canonical": {
            provider: {
                "line_id": account.line_id,
                "of": [other.line_id for other in profile.line_accounts if other.provider == provider],
            }
            for provider, account in sorted(profile.canonical.items())
        },
    }


def explanation_lines(explained: dict[str, Any], policy: MergePolicy) -> Iterator[str]:
    """Yield the lines of an explanation as text.

    Args:
        explained: Result of `person_lookup.explain_person`.
        policy: The policy that it was made with.
    """
    yield f"{explained['profile']} is one person with {', '.join(explained['identifiers'])}."
    records = [
        f"{' + '.join(record['identifiers'])}, {_span(record['first_at'], record['last_at'])}"
        for record in explained["records"]
    ]
    follows = [
        f"{follow['line_id']} of provider {follow['provider']}: {follow['state']} on "
        f"{'channel ' + follow['channel'] if follow['channel'] else 'all channels'}, {follow['at'] or 'undated'}"
        for follow in explained["follows"]
    ]
    yield from _section("Records", [*records, *follows])
    yield from _section(
        "Merges",
        [
            f"{merge['rule']}: {merge['identifier']} from {merge['from']} into {merge['into']}"
            for merge in explained["merges"]
        ],
    )
    yield from _section(
        "Rejected identifiers",
        [f"{item['reason']}: {item['identifier']} claimed by {item['claimed_by']}" for item in explained["refused"]],
    )
    yield from _section(
        "Corrections",
        [
            f"{correction['kind']}: {' and '.join(correction['identifiers'])}{_at(correction['at'])}"
            for correction in explained["corrections"]
        ],
    )
    yield from _canonical_lines(explained["canonical"], policy)
    yield delivery_line(explained["messages"])


def delivery_line(delivery: dict[str, Any]) -> str:
    """Return the line that says what happens to a message; see `person_lookup.delivery_of`."""
    on = f"on channel {delivery['channel']} of provider {delivery['provider']}"
    if delivery["result"] == "sent":
        return f"A message {on} is sent to {delivery['line_id']}, unless it expires, or a limit postpones it."
    return f"A message {on} is not sent: {delivery['result']} ({delivery['reason']}). {delivery['detail']}"


def _section(title: str, lines: Collection[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _canonical_lines(canonical_by_provider: dict[str, Any], policy: MergePolicy) -> Iterator[str]:
    order = ", then ".join(_CRITERIA[criterion] for criterion in policy.canonical)
    for provider, canonical in canonical_by_provider.items():
        others = len(canonical["of"]) - 1
        reason = f", chosen before {others} others by {order}, then smallest LINE ID" if others else ""
        yield f"The LINE ID of provider {provider} is {canonical['line_id']}{reason}."
    if not canonical_by_provider:
        yield "The profile has no LINE ID."


def _claim(claim: Claim) -> dict[str, Any]:
    return {
        "identifiers": [str(identifier) for identifier in claim.identifiers],
        "first_at": _iso_time(claim.first_at),
        "last_at": _iso_time(claim.last_at),
        "attributes": sorted(claim.attributes),
    }


def _follow(follow: Follow) -> dict[str, Any]:
    return {
        "line_id": follow.line_id.value,
        "provider": follow.line_id.provider,
        "channel": follow.channel,
        "state": follow.state.value,
        "at": _iso_time(follow.at),
    }


def _correction(correction: Correction) -> dict[str, Any]:
    return {
        "kind": correction.kind.value,
        "identifiers": list(map(str, correction.identifiers)),
        "at": _iso_time(correction.at),
    }


def _at(time: str | None) -> str:
    return f", {time}" if time else ""


def _merges(merges: Collection[Merge], members: frozenset[Identifier]) -> list[dict[str, Any]]:
    return [
        {
            "rule": merge.rule.value,
            "into": str(merge.survivor),
            "from": str(merge.absorbed),
            "identifier": str(merge.identifier),
            "at": _iso_time(merge.evidence_at),
        }
        for merge in sorted(merges, key=lambda merge: (merge.evidence_at, merge.rule, merge.identifier))
        if {merge.survivor, merge.absorbed, merge.identifier} & members
    ]


def _rejected(rejected: Collection[RejectedIdentifier], members: frozenset[Identifier]) -> list[dict[str, Any]]:
    return [
        {"reason": item.reason.value, "claimed_by": str(item.claimed_by), "identifier": str(item.identifier)}
        for item in sorted(rejected, key=lambda item: (item.identifier, item.claimed_by))
        if {item.claimed_by, item.identifier} & members
    ]


def _iso_time(milliseconds: int) -> str | None:
    if milliseconds == UNDATED:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _span(first: str | None, last: str | None) -> str:
    return (last or "undated") if first == last else f"{first or 'undated'} to {last}"
