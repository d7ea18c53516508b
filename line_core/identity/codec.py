"""Evidence as the JSON text that the store keeps for a cluster.

{"claims": [{"identifiers": [[kind, provider, value], …], "first_at": ms, "last_at": ms,
"attributes": {name: [ms, value], …}}, …],
"follows": [{"line_id": ["line_id", provider, value], "state": …, "at": ms, "followed_at": ms}, …],
"cuts": [[[kind, provider, value], [kind, provider, value]], …]}; the last one only if there are any
"""

from __future__ import annotations

import json

import msgspec

from line_core.identity.model import Claim, Cut, Evidence, Follow


class _Document(msgspec.Struct, omit_defaults=True):
    claims: list[Claim]
    follows: list[Follow]
    cuts: list[Cut] = msgspec.field(default_factory=list)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Document)


def to_text(evidence: Evidence) -> str:
    """Write evidence; the same evidence, gathered in the same order, is the same text."""
    claims, follows = list(evidence.claims.values()), list(evidence.follows.values())
    return _encode(_Document(claims, follows, sorted(evidence.cuts)))


def text_of(record: Claim | Follow) -> str:
    """Write evidence that is one record; the same text as `to_text` makes of it."""
    return _encode(_Document([record], []) if isinstance(record, Claim) else _Document([], [record]))


def _encode(document: _Document) -> str:
    try:
        return _encoder.encode(document).decode()
    except UnicodeEncodeError:
        # Half of a surrogate pair in an attribute: only an escape can carry it.
        return json.dumps(msgspec.to_builtins(document))


def from_text(text: str) -> Evidence:
    """Read evidence back."""
    try:
        document = _decoder.decode(text)
    except msgspec.DecodeError:
        document = msgspec.convert(json.loads(text), _Document)
    return Evidence(
        {claim.identifiers: claim for claim in document.claims},
        {follow.line_id: follow for follow in document.follows},
        set(document.cuts),
    )
