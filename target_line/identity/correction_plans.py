"""What a correction adds to the evidence, or takes from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from line_core.errors import LineError
from line_core.identity.codec import decode_evidence, encode_evidence
from line_core.identity.links import links_of, named_claims
from line_core.identity.model import UNDATED, Correction, CorrectionKind, Evidence, Identifier
from line_core.identity.results import Merge, MergeRule
from line_core.identity.rules import resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Profile

_LINK_RULES = frozenset({MergeRule.IDENTIFIER_SUPERSEDED, MergeRule.IDENTIFIER_UNLINKED})


class CorrectionError(LineError):
    """The correction is not possible, or there is nothing to correct."""


@dataclass(frozen=True, slots=True)
class CorrectionPlan:
    """A correction, or the end of one."""

    merge: Merge
    """The row of the correction in `merges`."""
    added: tuple[Correction, ...] = ()
    removed: tuple[Correction, ...] = ()
    withdrawn: str | None = None
    """Encoded evidence that the correction withdraws, or that counts again when it is taken back."""
    undoes: int | None = None
    """Number of the merge that the correction undoes, or that counts again."""
    takes_back: int | None = None
    """Number of the correction that is taken back."""

    @property
    def identifiers(self) -> set[Identifier]:
        """The identifiers whose evidence changes."""
        return {name for correction in (*self.added, *self.removed) for name in correction.identifiers}

    def change(self, evidence: Evidence) -> None:
        """Apply the plan to evidence."""
        for correction in self.added:
            evidence.add(correction)
        for correction in self.removed:
            if correction in evidence.corrections:
                evidence.remove(correction)
                if self.withdrawn:
                    evidence.merge(decode_evidence(self.withdrawn))

    def document(self) -> dict[str, Any]:
        """Return what the row keeps, to take the correction back."""
        content = {"added": msgspec.to_builtins(self.added), "withdrawn": self.withdrawn, "undoes": self.undoes}
        return {name: value for name, value in content.items() if value is not None}


def plan_unmerge(merge_id: int, merge: Merge, evidence: Evidence, policy: MergePolicy) -> CorrectionPlan:
    """Plan to undo a merge.

    Args:
        merge_id: Number of its row.
        merge: The merge. If its profile got another key since, the present one counts.
        evidence: Evidence of its identifiers.
        policy: Settings of the merge rules.

    Raises:
        CorrectionError: The merge is not in force any more.
    """
    key_of = {name: profile.key for profile in resolve(evidence, policy).profiles for name in profile.identifiers}
    rule, corrections = MergeRule.UNMERGED, set[Correction]()
    if merge.rule in _LINK_RULES:
        rule = MergeRule.LINK_KEPT
        links = links_of(evidence, named_claims(evidence, policy), policy)
        corrections = {
            Correction(CorrectionKind.KEEP_LINK, (strong, weak))
            for strong, weak in (*links.successors, *links.ended_at)
            if weak == merge.absorbed and key_of[strong] == key_of.get(merge.survivor)
        }
    elif merge.rule is MergeRule.IDENTIFIER_MOVED:
        if key_of.get(merge.survivor) != key_of.get(merge.absorbed):
            corrections = {Correction.separate(merge.survivor, merge.identifier)}
    elif key_of.get(merge.absorbed, merge.absorbed) != merge.absorbed:
        corrections = {Correction.separate(key_of[merge.absorbed], merge.absorbed)}
    if not corrections - evidence.corrections:
        raise CorrectionError(f"merge {merge_id} is not in force any more: newer records have changed it")
    row = Merge(rule, merge.survivor, merge.absorbed, merge.identifier, UNDATED)
    return CorrectionPlan(row, tuple(sorted(corrections)), undoes=merge_id)


def plan_detach(identifier: Identifier, evidence: Evidence, policy: MergePolicy) -> CorrectionPlan:
    """Plan to void all links of an identifier.

    Raises:
        CorrectionError: No profile has the identifier, or it is detached already.
    """
    profile = _profile_of(identifier, evidence, policy)
    if profile is None:
        raise CorrectionError(f"no profile in the store has {identifier}")
    correction = Correction(CorrectionKind.DETACH, (identifier,))
    if correction in evidence.corrections:
        raise CorrectionError(f"{identifier} is detached already")
    row = Merge(MergeRule.DETACHED, profile.key, identifier, identifier, UNDATED)
    return CorrectionPlan(row, (correction,))


def plan_withdraw(
    identifiers: Collection[Identifier], at: int, evidence: Evidence, policy: MergePolicy
) -> CorrectionPlan:
    """Plan to withdraw the records that name exactly some identifiers and have a certain time.

    Raises:
        CorrectionError: There is no such record.
    """
    names = next(
        (names for names in (*evidence.claims, *evidence.refused_opt_outs) if set(names) == set(identifiers)), None
    )
    if names is None:
        raise CorrectionError(
            "no record names exactly these identifiers; `target-line-admin explain` lists the records of a person"
        )
    withdrawn = Evidence()
    for record in (evidence.claims.get(names), evidence.refused_opt_outs.get(names)):
        if record is not None:
            withdrawn.add(record)
    times = sorted(set(_times(withdrawn)))
    if at not in times:
        shown = ", ".join(map(time_text, times))
        raise CorrectionError(f"no record of these identifiers has this time; their times are: {shown}")
    profile = _profile_of(names[0], evidence, policy)
    row = Merge(MergeRule.WITHDRAWN, profile.key if profile else names[0], names[0], names[-1], at)
    correction = Correction(CorrectionKind.WITHDRAW, names, at)
    return CorrectionPlan(row, (correction,), withdrawn=encode_evidence(withdrawn))


def time_text(milliseconds: int) -> str:
    """Return a time of the evidence as ISO 8601 text, `undated` for a record without one."""
    if milliseconds == UNDATED:
        return "undated"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _times(evidence: Evidence) -> Iterator[int]:
    for claim in evidence.claims.values():
        yield from (claim.first_at, claim.last_at, *claim.linked())
        yield from (value.at for value in claim.attributes.values())
    for refused in evidence.refused_opt_outs.values():
        yield from (value.at for value in refused.attributes.values())


def _profile_of(identifier: Identifier, evidence: Evidence, policy: MergePolicy) -> Profile | None:
    profiles = resolve(evidence, policy).profiles
    return next((profile for profile in profiles if identifier in profile.identifiers), None)
