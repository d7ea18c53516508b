"""The target's settings, as the SDK's JSON schema; README and docs are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from line_core.errors import SettingError
from line_core.settings import API_URL, CREDENTIALS, MAX_REQUESTS_PER_SECOND, STORE_URL, USE_PROXY
from target_line.identity.model import Kind
from target_line.identity.rules import IdentifierConflict, Policy
from target_line.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_JSONSCHEMA = th.PropertiesList(
    *CREDENTIALS,
    API_URL,
    STORE_URL,
    th.Property(
        "channel",
        th.StringType,
        default="main",
        title="Channel name",
        description="Your name for this channel; ledger and rejects are kept by it.",
    ),
    th.Property(
        "provider",
        th.StringType,
        default="default",
        title="Provider name",
        description="Your name for the provider above the channel; in all its channels a person has the same LINE ID.",
    ),
    th.Property(
        "stream_roles",
        th.ObjectType(additional_properties=th.StringType(allowed_values=[*Role])),
        default={},
        title="Stream roles",
        description="Role by stream name, for streams whose name does not end in their role, "
        'for example {"crm-customers": "profiles"}.',
    ),
    th.Property(
        "identifier_precedence",
        th.ArrayType(th.StringType(allowed_values=[*Kind])),
        default=["id", "email", "line_id"],
        title="Identifier precedence",
        description="All three kinds of identifier, strongest first; the strongest names the surviving profile.",
    ),
    th.Property(
        "identifier_conflict",
        th.StringType,
        default=IdentifierConflict.LATEST.value,
        allowed_values=[*IdentifierConflict],
        title="Identifier conflict",
        description="Who keeps a LINE ID or email that profiles with different ids claim: latest or first claim.",
    ),
    MAX_REQUESTS_PER_SECOND,
    USE_PROXY,
    th.Property(
        "max_rejects",
        th.IntegerType,
        title="Most rejects",
        description="End the run with an error, before anything is sent, when it refused more records than this.",
    ),
).to_dict()


def policy_of(config: Mapping[str, Any]) -> Policy:
    """The settings that the merge rules depend on.

    Raises:
        SettingError: `identifier_precedence` does not name each kind of identifier once.
    """
    precedence = tuple(Kind(kind) for kind in config["identifier_precedence"])
    if sorted(precedence) != sorted(Kind):
        raise SettingError(f"name each of {', '.join(Kind)} once", setting="identifier_precedence")
    return Policy(precedence, IdentifierConflict(config["identifier_conflict"]))
