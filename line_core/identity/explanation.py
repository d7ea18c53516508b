"""Why a person is who they are: what was said, what the rules made of it, in JSON and in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from line_core.identity.model import UNDATED
from line_core.identity.policy import Criterion
from line_core.identity.rules import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from line_core.identity.model import Evidence, Identifier
    from line_core.identity.policy import Policy

_CRITERIA = {
    Criterion.FOLLOWING: "whether they follow",
    Criterion.LATEST_IDENTIFIED: "the newest record that names it",
    Criterion.LATEST_FOLLOWED: "when it was newest seen following",
}


def explain(evidence: Evidence, identifier: Identifier, policy: Policy) -> dict[str, Any]:
    """Tell how the rules come to the profile that an identifier names.

    Args:
        evidence: All that was said of the identifier and what hangs together with it.
        identifier: Whom to explain.
        policy: The settings that the rules depend on.

    Returns:
        `profile` (strongest identifier), `identifiers`, `records` (what was said), `follows`, `merges` (rule, into,
        from, identifier, at), `refused` (claims that were not followed), `cuts`, and `canonical` (by provider: the
        LINE ID, and the candidates in the order in which they were elected).

    Raises:
        KeyError: The evidence does not speak of the identifier.
    """
    resolution = resolve(evidence, policy)
    profile = resolution.profile_of(identifier)
    mine = profile.identifiers
    return {
        "profile": str(profile.key),
        "identifiers": sorted(map(str, mine)),
        "records": [
            {
                "identifiers": [str(name) for name in claim.identifiers],
                "first_at": _time(claim.first_at),
                "last_at": _time(claim.last_at),
                "attributes": sorted(claim.attributes),
            }
            for claim in sorted(evidence.claims.values(), key=lambda claim: (claim.first_at, claim.identifiers))
            if mine.intersection(claim.identifiers)
        ],
        "follows": [
            {"line_id": follow.line_id.value, "state": follow.state.value, "at": _time(follow.at)}
            for follow in sorted(evidence.follows.values(), key=lambda follow: follow.line_id)
            if follow.line_id in mine
        ],
        "merges": [
            {
                "rule": join.rule.value,
                "into": str(join.survivor),
                "from": str(join.absorbed),
                "identifier": str(join.identifier),
                "at": _time(join.evidence_at),
            }
            for join in sorted(resolution.joins, key=lambda join: (join.evidence_at, join.rule, join.identifier))
            if {join.survivor, join.absorbed, join.identifier} & mine
        ],
        "refused": [
            {
                "reason": refusal.doubt.value,
                "claimed_by": str(refusal.claimed_by),
                "identifier": str(refusal.identifier),
            }
            for refusal in sorted(resolution.refusals, key=lambda item: (item.identifier, item.claimed_by))
            if {refusal.claimed_by, refusal.identifier} & mine
        ],
        "cuts": [list(map(str, cut)) for cut in sorted(evidence.cuts) if mine.intersection(cut)],
        "canonical": {
            provider: {"line_id": account.line_id, "of": [item.line_id for item in profile.line_accounts]}
            for provider, account in sorted(profile.canonical.items())
        },
    }


def in_words(explained: dict[str, Any], policy: Policy) -> Iterator[str]:
    """The explanation for a person to read."""
    yield f"{explained['profile']} is one person with {', '.join(explained['identifiers'])}."
    yield "What was said:"
    for record in explained["records"]:
        span = _span(record["first_at"], record["last_at"])
        yield f"  {' + '.join(record['identifiers'])}, {span}"
    for follow in explained["follows"]:
        yield f"  {follow['line_id']} {follow['state']}, {follow['at'] or 'undated'}"
    if explained["merges"]:
        yield "What the rules made of it:"
    for merge in explained["merges"]:
        yield f"  {merge['rule']}: {merge['identifier']} went from {merge['from']} into {merge['into']}"
    for refusal in explained["refused"]:
        yield f"  {refusal['reason']}: {refusal['claimed_by']} claims {refusal['identifier']} and does not get it"
    for one, other in explained["cuts"]:
        yield f"  unmerged: {one} and {other} are kept apart"
    order = ", then ".join(_CRITERIA[criterion] for criterion in policy.canonical)
    for provider, elected in explained["canonical"].items():
        others = len(elected["of"]) - 1
        by = f", elected before {others} by {order}, then the smallest" if others else ""
        yield f"Messages of provider {provider} go to {elected['line_id']}{by}."
    if not explained["canonical"]:
        yield "There is no LINE ID to write to."


def _time(milliseconds: int) -> str | None:
    if milliseconds == UNDATED:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _span(first: str | None, last: str | None) -> str:
    return (last or "undated") if first == last else f"{first or 'undated'} to {last}"
