"""Profiles of people, as target-line merges them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from sqlalchemy import select

from line_core.identity.codec import decode_evidence
from line_core.identity.results import ABSORBING_RULES
from line_core.identity.rules import resolve
from line_core.store.saved_policy import load_policy
from line_core.store.tables.identity import clusters
from tap_line.base.store_stream import StoreStream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select

    from line_core.identity.policy import MergePolicy
    from line_core.identity.results import Profile


class Identities(StoreStream):
    """Profiles of people, merged by target-line's rules. Profiles that were merged into another have `merged_into`."""

    description = (
        "Profiles of people, merged by target-line's rules. Profiles that were merged into another have `merged_into`."
    )
    name = "identities"
    primary_keys: ClassVar[tuple[str, ...]] = ("profile",)
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property(
            "profile", th.StringType, required=True, description="Strongest identifier: id:…, email:… or line_id:…"
        ),
        th.Property(
            "merged_into",
            th.StringType,
            description="Profile that this profile was merged into; the other columns are null then",
        ),
        th.Property("id", th.StringType, description="Customer ID"),
        th.Property("email", th.StringType, description="The most recent email"),
        th.Property("line_id", th.StringType, description="LINE ID for messages; null with several providers"),
        th.Property(
            "line_ids",
            th.ArrayType(
                th.ObjectType(
                    th.Property("line_id", th.StringType, description="LINE ID"),
                    th.Property("provider", th.StringType, description="Provider of the LINE ID"),
                    th.Property("follow_state", th.StringType, description="following, unfollowed or unknown"),
                    th.Property("is_canonical", th.BooleanType, description="Whether messages go to this LINE ID"),
                )
            ),
            description="All LINE IDs of the person",
        ),
        th.Property("former_ids", th.ArrayType(th.StringType), description="Other ids of the person"),
        th.Property("former_emails", th.ArrayType(th.StringType), description="Other emails of the person"),
        th.Property("attributes", th.ObjectType(additional_properties=True), description="Attributes of the person"),
        th.Property("updated_at", th.DateTimeType, description="Time of the last change of the evidence"),
    ).to_dict()

    @cached_property
    def _policy(self) -> MergePolicy:
        return load_policy(self.services.store)

    def query(self) -> Select[Any]:
        """Return the query of identity evidence, one row per cluster of connected identifiers."""
        return select(clusters.c.evidence)

    @property
    def changed_at(self) -> ColumnElement[datetime]:
        return clusters.c.updated_at

    def records_from_row(self, row: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """Yield the profiles of a cluster, after the profiles that were merged into them."""
        resolution = resolve(decode_evidence(row["evidence"]), self._policy, self.services.channel)
        merged = {
            str(merge.absorbed): str(merge.survivor) for merge in resolution.merges if merge.rule in ABSORBING_RULES
        }
        for absorbed, survivor in sorted(merged.items()):
            yield {"profile": absorbed, "merged_into": survivor, "updated_at": row["updated_at"]}
        for profile in resolution.profiles:
            yield _identity_record(profile) | {"updated_at": row["updated_at"]}


def _identity_record(profile: Profile) -> dict[str, Any]:
    canonical = set(profile.canonical.values())
    return {
        "profile": str(profile.key),
        "merged_into": None,
        "id": profile.id,
        "email": profile.email,
        "line_id": next(iter(canonical)).line_id if len(canonical) == 1 else None,
        "line_ids": [
            {
                "line_id": account.line_id,
                "provider": account.provider,
                "follow_state": account.follow_state.value,
                "is_canonical": account in canonical,
            }
            for account in profile.line_accounts
        ],
        "former_ids": list(profile.former_ids),
        "former_emails": list(profile.former_emails),
        "attributes": profile.attributes,
    }
