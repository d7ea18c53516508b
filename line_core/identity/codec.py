"""JSON encoding of the evidence that the store keeps for a cluster.

The keys are part of the store's format; stored evidence must stay readable:

{"v": 2, "claims": [{"identifiers": [[kind, provider, value], …], "first_at": ms, "last_at": ms,
"attributes": {name: [ms, value], …}, "linked_first_at": ms, "linked_last_at": ms}, …],
"follows": [{"line_id": ["line_id", provider, value], "state": …, "at": ms, "followed_at": ms, "channel": …}, …],
"unlinks": [[[kind, provider, value], kind, provider, ms], …],
"opt_outs": [{"identifiers": […], "attributes": {…}}, …],
"corrections": [[correction kind, [[kind, provider, value], …], ms], …], "shared": [[kind, provider, value], …]}

A time that is left out is `UNDATED`. Lists that are empty are left out, except claims and follows.

Version 1 has no `v`. There, the time 0 means `UNDATED`, `cuts` holds pairs of separated identifiers, follows have no
channel, and the other additions do not exist.
"""

from __future__ import annotations

import json

import msgspec

from line_core.identity.model import (
    UNDATED,
    Claim,
    Correction,
    DatedValue,
    Evidence,
    Follow,
    Identifier,
    RefusedOptOut,
    Unlink,
)

VERSION = 2


class _RecordDocument(msgspec.Struct, omit_defaults=True):
    claims: list[Claim]
    follows: list[Follow]
    version: int = msgspec.field(default=1, name="v")


class _Document(_RecordDocument):
    unlinks: list[Unlink] = []
    opt_outs: list[RefusedOptOut] = []
    corrections: list[Correction] = []
    shared: list[Identifier] = []
    cuts: list[tuple[Identifier, Identifier]] = []


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Document)


def encode_evidence(evidence: Evidence) -> str:
    """Return evidence as JSON text.

    Evidence with the same records, added in the same order, gives the same text.
    """
    return _encode(
        _Document(
            list(evidence.claims.values()),
            list(evidence.follows.values()),
            VERSION,
            list(evidence.unlinks.values()),
            list(evidence.refused_opt_outs.values()),
            sorted(evidence.corrections),
            sorted(evidence.shared),
        )
    )


def encode_record(record: Claim | Follow) -> str:
    """Return evidence of one record as JSON text, the same text as `encode_evidence` returns."""
    if isinstance(record, Claim):
        return _encode(_RecordDocument([record], [], VERSION))
    return _encode(_RecordDocument([], [record], VERSION))


def decode_evidence(text: str) -> Evidence:
    """Return the evidence that `encode_evidence` encoded."""
    try:
        document = _decoder.decode(text)
    except msgspec.DecodeError:
        document = msgspec.convert(json.loads(text), _Document)
    if document.version == 1:
        _convert_from_version_1(document)
    return Evidence(
        {claim.identifiers: claim for claim in document.claims},
        {(follow.line_id, follow.channel): follow for follow in document.follows},
        {unlink[:3]: unlink for unlink in document.unlinks},
        {refused.identifiers: refused for refused in document.opt_outs},
        set(document.corrections),
        set(document.shared),
    )


def _convert_from_version_1(document: _Document) -> None:
    for claim in document.claims:
        claim.first_at, claim.last_at = claim.first_at or UNDATED, claim.last_at or UNDATED
        for name, dated in claim.attributes.items():
            claim.attributes[name] = DatedValue(dated.at or UNDATED, dated.value)
    for follow in document.follows:
        follow.at, follow.followed_at = follow.at or UNDATED, follow.followed_at or UNDATED
    document.corrections = [Correction.separate(one, other) for one, other in document.cuts]


def _encode(document: _RecordDocument) -> str:
    try:
        return _encoder.encode(document).decode()
    except UnicodeEncodeError:
        # An attribute holds a lone surrogate. UTF-8 cannot encode it; a JSON escape can.
        return json.dumps(msgspec.to_builtins(document))
