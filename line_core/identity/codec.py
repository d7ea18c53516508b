"""JSON encoding of the evidence that the store keeps for a cluster.

The keys are part of the store's format; stored evidence must stay readable:

{"claims": [{"identifiers": [[kind, provider, value], …], "first_at": ms, "last_at": ms,
"attributes": {name: [ms, value], …}}, …],
"follows": [{"line_id": ["line_id", provider, value], "state": …, "at": ms, "followed_at": ms}, …],
"cuts": [[[kind, provider, value], [kind, provider, value]], …]}

`cuts` holds the separation constraints; without any, the key is left out.
"""

from __future__ import annotations

import json

import msgspec

from line_core.identity.model import Claim, Evidence, Follow, SeparationConstraint


class _Document(msgspec.Struct, omit_defaults=True):
    claims: list[Claim]
    follows: list[Follow]
    separations: list[SeparationConstraint] = msgspec.field(default_factory=list, name="cuts")


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Document)


def encode_evidence(evidence: Evidence) -> str:
    """Return evidence as JSON text.

    Evidence with the same records, added in the same order, gives the same text.
    """
    claims, follows = list(evidence.claims.values()), list(evidence.follows.values())
    return _encode(_Document(claims, follows, sorted(evidence.separations)))


def encode_record(record: Claim | Follow) -> str:
    """Return evidence of one record as JSON text, the same text as `encode_evidence` returns."""
    return _encode(_Document([record], []) if isinstance(record, Claim) else _Document([], [record]))


def decode_evidence(text: str) -> Evidence:
    """Return the evidence that `encode_evidence` encoded."""
    try:
        document = _decoder.decode(text)
    except msgspec.DecodeError:
        document = msgspec.convert(json.loads(text), _Document)
    return Evidence(
        {claim.identifiers: claim for claim in document.claims},
        {follow.line_id: follow for follow in document.follows},
        set(document.separations),
    )


def _encode(document: _Document) -> str:
    try:
        return _encoder.encode(document).decode()
    except UnicodeEncodeError:
        # An attribute holds a lone surrogate. UTF-8 cannot encode it; a JSON escape can.
        return json.dumps(msgspec.to_builtins(document))
