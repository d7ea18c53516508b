"""Evidence as the JSON document that the store keeps for a cluster.

    {"claims": [{"identifiers": [[kind, provider, value], …], "first_at": ms, "last_at": ms,
                 "attributes": {name: [ms, value], …}}, …],
     "follows": [[provider, line_id, state, ms, followed ms], …]}

Both lists are sorted: equal evidence is an equal document.
"""

from __future__ import annotations

from typing import Any

from target_line.identity.model import Claim, Dated, Evidence, Follow, FollowState, Identifier, Kind

Document = dict[str, Any]


def to_document(evidence: Evidence) -> Document:
    """Write evidence as a document."""
    return {
        "claims": [
            {
                "identifiers": [list(identifier) for identifier in claim.identifiers],
                "first_at": claim.first_at,
                "last_at": claim.last_at,
                "attributes": {name: list(said) for name, said in sorted(claim.attributes.items())},
            }
            for _, claim in sorted(evidence.claims.items())
        ],
        "follows": [
            [follow.line_id.provider, follow.line_id.value, follow.state, follow.at, follow.followed_at]
            for _, follow in sorted(evidence.follows.items())
        ],
    }


def from_document(document: Document) -> Evidence:
    """Read a document back."""
    evidence = Evidence()
    for claim in document["claims"]:
        identifiers = tuple(Identifier(Kind(kind), provider, value) for kind, provider, value in claim["identifiers"])
        attributes = {name: Dated(at, value) for name, (at, value) in claim["attributes"].items()}
        evidence.claims[identifiers] = Claim(identifiers, claim["first_at"], claim["last_at"], attributes)
    for provider, value, state, at, followed_at in document["follows"]:
        line_id = Identifier(Kind.LINE_ID, provider, value)
        evidence.follows[line_id] = Follow(line_id, FollowState(state), at, followed_at)
    return evidence
