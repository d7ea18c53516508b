"""The target's settings, as the SDK's JSON schema; README and docs are made from it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from line_core.errors import SettingError
from line_core.identity.model import IdentifierKind
from line_core.identity.policy import AttributeConflict, CanonicalCriterion, IdentifierConflict, MergePolicy
from line_core.singer.settings import (
    API_URL,
    CREDENTIALS,
    MAX_REQUESTS_PER_SECOND,
    REQUEST_TIMEOUT_SECONDS,
    STORE_URL,
    USE_PROXY,
)
from target_line.intake.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

_DURATION = th.CustomType({"type": ["string", "integer", "number", "null"]})


_JUNK = (
    *("null", "none", "nil", "undefined", "unknown", "anonymous", "guest", "n/a", "na", "nan", "-", "0", "test"),
    *("test@test.com", "test@example.com", "none@none.com", "no@email.com", "noemail@noemail.com", "a@a.com"),
)


class Mode(StrEnum):
    """What a run does with the messages that are due."""

    SEND = "send"
    PLAN = "plan"
    VALIDATE = "validate"


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
        th.ArrayType(th.StringType(allowed_values=[*IdentifierKind])),
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
        description="Who keeps a LINE ID or email that profiles with different ids claim: the latest or the first "
        "claim, or with reject nobody.",
    ),
    th.Property(
        "attribute_conflict",
        th.StringType,
        default=AttributeConflict.LATEST.value,
        allowed_values=[*AttributeConflict],
        title="Attribute conflict",
        description="Whose value an attribute has: the newest record's, or with survivor that of the records that name "
        "the profile's strongest identifier, others filling in only what they leave empty.",
    ),
    th.Property(
        "canonical_line_id",
        th.ArrayType(th.StringType(allowed_values=[*CanonicalCriterion])),
        default=[criterion.value for criterion in CanonicalCriterion],
        title="Canonical LINE ID",
        description="By what the LINE ID to write to is elected, where a profile has several; the smallest decides "
        "what is left.",
    ),
    th.Property(
        "max_line_ids_per_profile",
        th.IntegerType(minimum=1),
        default=20,
        title="Most LINE IDs",
        description="A profile takes no more LINE IDs than this; more are strangers who share some identifier.",
    ),
    th.Property(
        "max_people_per_email",
        th.IntegerType(minimum=2),
        default=1000,
        title="Most people of an email",
        description="An email that more ids and LINE IDs than this are claimed with names nobody, for good.",
    ),
    th.Property(
        "junk_identifiers",
        th.ArrayType(th.StringType),
        default=list(_JUNK),
        title="Junk identifiers",
        description="Ids and emails that name nobody, in any case; records with them are rejected.",
    ),
    th.Property(
        "mode",
        th.StringType,
        default=Mode.SEND.value,
        allowed_values=[*Mode],
        title="Mode",
        description="send; plan: tell what would be sent, and send nothing; validate: ask LINE whether it would take "
        "the content, and send nothing. All three take the input in.",
    ),
    th.Property(
        "approve",
        th.StringType,
        title="Approved plan",
        description="Hash of a plan, as mode plan prints it: the run sends only if that is still what would be sent.",
    ),
    th.Property(
        "expected_bot_user_id",
        th.StringType,
        title="Expected bot user ID",
        description="The bot's own user ID (the destination of its webhooks; a run logs it): nothing is sent with the "
        "token of another account.",
    ),
    th.Property(
        "test_recipients",
        th.ArrayType(th.StringType),
        default=[],
        title="Test recipients",
        description="LINE IDs that get every content once, instead of the people whom it is for.",
    ),
    th.Property(
        "max_sends_per_run",
        th.IntegerType(minimum=0),
        title="Most sends",
        description="Send at most this many messages in a run; the rest stays scheduled.",
    ),
    th.Property(
        "max_message_age",
        _DURATION,
        title="Oldest message",
        description="Messages older than this are not sent, but expired: 36h, 7d, or seconds since send_at, else "
        "created_at, else since the ledger took them in.",
    ),
    th.Property(
        "quota_reserve",
        th.IntegerType(minimum=0),
        default=0,
        title="Quota reserve",
        description="How many of the month's messages to leave for others.",
    ),
    th.Property(
        "multicast_min",
        th.IntegerType(minimum=2),
        default=2,
        title="Smallest multicast",
        description="From how many people on the same content goes by multicast, up to 500 in a request; LINE takes "
        "200 multicasts a second, and 2,000 pushes.",
    ),
    th.Property(
        "time_zone",
        th.StringType,
        title="Time zone",
        description="Time zone such as Asia/Tokyo, of times without one and of people whose own is unknown; "
        "default UTC.",
    ),
    th.Property(
        "time_zone_attribute",
        th.StringType,
        default="time_zone",
        title="Time zone attribute",
        description="Profile attribute that names a person's time zone.",
    ),
    th.Property(
        "quiet_hours",
        th.StringType,
        title="Quiet hours",
        description="Hours such as 21:00-08:00, by the person's clock, in which messages wait.",
    ),
    th.Property(
        "frequency_cap",
        th.ObjectType(
            th.Property("messages", th.IntegerType(minimum=0), required=True, description="How many messages."),
            th.Property("per", _DURATION, required=True, description="In how long: 24h, 7d, or seconds."),
        ),
        title="Frequency cap",
        description='Most messages to a person in a time: {"messages": 3, "per": "7d"}; more are skipped.',
    ),
    th.Property(
        "suppression_attributes",
        th.ArrayType(th.StringType),
        default=["unsubscribed"],
        title="Suppression attributes",
        description="Profile attributes that say, when true, that the person wants no messages.",
    ),
    MAX_REQUESTS_PER_SECOND,
    REQUEST_TIMEOUT_SECONDS,
    USE_PROXY,
    th.Property(
        "max_rejects",
        th.CustomType({"type": ["integer", "string", "null"]}),
        title="Most rejects",
        description="End the run with an error when it refused more records than this, a number or a share such as 5%; "
        "if before it began to send, nothing is sent.",
    ),
).to_dict()


def policy_of(config: Mapping[str, Any]) -> MergePolicy:
    """The settings that the merge rules depend on.

    Raises:
        SettingError: `identifier_precedence` does not name each kind of identifier once.
    """
    precedence = tuple(IdentifierKind(kind) for kind in config["identifier_precedence"])
    if sorted(precedence) != sorted(IdentifierKind):
        raise SettingError(f"name each of {', '.join(IdentifierKind)} once", setting="identifier_precedence")
    return MergePolicy(
        precedence,
        IdentifierConflict(config["identifier_conflict"]),
        AttributeConflict(config["attribute_conflict"]),
        tuple(dict.fromkeys(map(CanonicalCriterion, config["canonical_line_id"]))),
        config["max_line_ids_per_profile"],
        tuple(config["suppression_attributes"]),
        config["max_people_per_email"],
    )


def junk_identifiers_of(config: Mapping[str, Any]) -> frozenset[str]:
    """Return the ids and emails that identify nobody, in lower case."""
    return frozenset(value.strip().casefold() for value in config["junk_identifiers"])
