"""The settings of the target as a JSON schema. docs/settings.md is generated from it."""

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
    USE_PROXY,
)
from line_core.store import DEFAULT_STORE_URL
from target_line.identity.placeholders import PLACEHOLDER_WORDS
from target_line.identity.records import NullIdentifiers
from target_line.intake.roles import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = th.StringType(pattern=r"^(?=.*\S)[^\x00-\x1f\x7f\ud800-\udfff]+$")
"""A text that is not blank and that every database can store."""
_FILLED = th.StringType(pattern=r"\S")
"""A text that is not blank: an empty environment variable does not turn off a check."""
_DURATION = th.CustomType({"type": ["string", "integer", "number", "null"]})


class Mode(StrEnum):
    """The action of a run for the messages that are due."""

    SEND = "send"
    PLAN = "plan"
    VALIDATE = "validate"


class UnknownMessageTypes(StrEnum):
    """What is done with content of a type that this version does not know."""

    ALLOW = "allow"
    REJECT = "reject"


CONFIG_JSONSCHEMA = th.PropertiesList(
    *CREDENTIALS,
    API_URL,
    th.Property(
        "store_url",
        th.StringType,
        secret=True,
        title="Store URL",
        description="Database for inbox, identity, ledger and rejects: sqlite:///PATH or "
        "postgresql://USER:PASSWORD@HOST/DATABASE. Mode send needs it. Default of the other modes: "
        f"{DEFAULT_STORE_URL}.",
    ),
    th.Property(
        "channel",
        _NAME,
        default="main",
        title="Channel name",
        description="Your name for this channel. Ledger, rejects and rate limits are separate for each channel.",
    ),
    th.Property(
        "provider",
        _NAME,
        default="default",
        title="Provider name",
        description="Your name for the provider that the channel belongs to. A person has the same LINE ID in all "
        "channels of a provider.",
    ),
    th.Property(
        "stream_roles",
        th.ObjectType(additional_properties=th.StringType(allowed_values=[*Role])),
        default={},
        title="Stream roles",
        description="Role by stream name, for streams whose last word (after - _ . : or /) is not a role. "
        'Example: {"crm-customers": "profiles"}.',
    ),
    th.Property(
        "identifier_precedence",
        th.ArrayType(th.StringType(allowed_values=[*IdentifierKind])),
        default=["id", "email", "line_id"],
        title="Identifier precedence",
        description="All three kinds of identifier, strongest first. In a merge, the profile with the strongest "
        "identifier survives.",
    ),
    th.Property(
        "identifier_conflict",
        th.StringType,
        default=IdentifierConflict.LATEST.value,
        allowed_values=[*IdentifierConflict],
        title="Identifier conflict",
        description="Assigns a LINE ID or email that different people claim: profiles with different identifiers of "
        "the strongest kind in use. latest: to the latest claim; first: to the first claim; reject: to none of them.",
    ),
    th.Property(
        "attribute_conflict",
        th.StringType,
        default=AttributeConflict.LATEST.value,
        allowed_values=[*AttributeConflict],
        title="Attribute conflict",
        description="Selects the value of an attribute. latest: from the newest record; survivor: from records that "
        "contain the profile's strongest identifier, and from other records only if those have no value.",
    ),
    th.Property(
        "canonical_line_id",
        th.ArrayType(th.StringType(allowed_values=[*CanonicalCriterion])),
        default=[criterion.value for criterion in CanonicalCriterion],
        title="Canonical LINE ID",
        description="Criteria, in order, that select the LINE ID for messages if a profile has several. "
        "not_unfollowed: not known to have left; strongest_claim: linked to the strongest identifier; "
        "latest_identified: newest link; following: following, then unknown; latest_followed: newest follow. "
        "If all are equal, the smallest LINE ID is selected.",
    ),
    th.Property(
        "max_line_ids_per_profile",
        th.IntegerType(minimum=1),
        default=20,
        title="Max LINE IDs per profile",
        description="Maximum number of LINE IDs of a profile. More LINE IDs belong to different persons who share an "
        "identifier: they stay separate profiles.",
    ),
    th.Property(
        "max_people_per_email",
        th.IntegerType(minimum=2),
        default=1000,
        title="Max people per email",
        description="An email that is claimed with more ids and LINE IDs than this identifies nobody, permanently.",
    ),
    th.Property(
        "max_people_per_line_id",
        th.IntegerType(minimum=2),
        default=100,
        title="Max people per LINE ID",
        description="A LINE ID that is claimed with more ids and emails than this, such as that of a shop's tablet, "
        "identifies nobody, permanently.",
    ),
    th.Property(
        "max_identifiers_per_id",
        th.IntegerType(minimum=2),
        default=100,
        title="Max identifiers per id",
        description="An id that is claimed with more emails and LINE IDs than this, such as that of a guest checkout, "
        "identifies nobody, permanently.",
    ),
    th.Property(
        "junk_identifiers",
        th.ArrayType(th.StringType),
        default=list(PLACEHOLDER_WORDS),
        title="Junk identifiers",
        description="Ids and emails that stand for a missing value. They are compared without case, width, "
        "surrounding quotes and brackets, and punctuation where there are no digits, and removed from their records. "
        "Your list replaces the default; the built-in patterns (docs/identity.md, rule 7) always apply.",
    ),
    th.Property(
        "null_identifiers",
        th.StringType,
        default=NullIdentifiers.IGNORE.value,
        allowed_values=[*NullIdentifiers],
        title="Null identifiers",
        description="What a line_id or email that is null or blank means in a profiles record. ignore: nothing; clear: "
        "the links of the record's strongest identifier to older values of this column end.",
    ),
    th.Property(
        "max_future_time",
        _DURATION,
        default="1d",
        title="Max future time",
        description="How far ahead of the clock the time of a profile or of a follow state can be. Records with later "
        "times are rejected, because their values would count for ever. Duration such as 36h or 7d, or seconds.",
    ),
    th.Property(
        "mode",
        th.StringType,
        default=Mode.SEND.value,
        allowed_values=[*Mode],
        title="Mode",
        description="send: send the messages that are due; plan: report them and send nothing; validate: let LINE "
        "validate their content and send nothing. plan and validate store no messages and pass on no STATE.",
    ),
    th.Property(
        "approve",
        _FILLED,
        title="Approved plan",
        description="Hash of a plan, as mode plan prints it. The run sends only if its plan has the same hash.",
    ),
    th.Property(
        "expected_bot_user_id",
        _FILLED,
        title="Expected bot user ID",
        description="User ID of the bot (the destination of its webhooks; each run logs it). The run fails if the "
        "access token belongs to another account.",
    ),
    th.Property(
        "replace_scheduled",
        th.BooleanType,
        default=True,
        title="Replace scheduled messages",
        description="A record with the message_id of a message that has not been sent, and other content, recipient or "
        "times, replaces the message. If false, such a record is rejected.",
    ),
    th.Property(
        "test_recipients",
        th.ArrayType(th.StringType),
        default=[],
        title="Test recipients",
        description="LINE IDs that get samples of the messages, in place of the real recipients.",
    ),
    th.Property(
        "test_samples",
        th.IntegerType(minimum=1),
        default=1,
        title="Test samples",
        description="Number of messages of each template that test_recipients get. The first ones are sent, the others "
        "are skipped.",
    ),
    th.Property(
        "max_sends_per_run",
        th.IntegerType(minimum=0),
        title="Max sends per run",
        description="Maximum number of messages that a run sends. Further messages stay scheduled.",
    ),
    th.Property(
        "max_message_age",
        _DURATION,
        title="Max message age",
        description="Older messages expire and are not sent. Duration such as 36h or 7d, or seconds, since send_at, "
        "else created_at, else the time at which the message was stored.",
    ),
    th.Property(
        "quota_reserve",
        th.IntegerType(minimum=0),
        default=0,
        title="Quota reserve",
        description="Number of messages of the monthly quota that the target leaves unused.",
    ),
    th.Property(
        "unknown_message_types",
        th.StringType,
        default=UnknownMessageTypes.ALLOW.value,
        allowed_values=[*UnknownMessageTypes],
        title="Unknown message types",
        description="Content with a type that this version does not know, for example a message type that LINE has "
        "added. allow: it is sent, LINE checks it, and the log has one warning; reject: it is rejected.",
    ),
    th.Property(
        "multicast_min",
        th.IntegerType(minimum=2),
        default=2,
        title="Min multicast size",
        description="Minimum number of recipients of the same content to send it as multicast (up to 500 recipients "
        "per request). LINE allows 200 multicast requests per second, and 2,000 push requests.",
    ),
    th.Property(
        "time_zone",
        th.StringType,
        title="Time zone",
        description="Time zone such as Asia/Tokyo or +09:00 for times without one, and for persons without a time zone "
        "attribute. Default: UTC.",
    ),
    th.Property(
        "time_zone_attribute",
        th.StringType,
        default="time_zone",
        title="Time zone attribute",
        description="Profile attribute that contains the time zone of a person: a name such as Asia/Tokyo in any case, "
        "or an offset such as +09:00.",
    ),
    th.Property(
        "quiet_hours",
        th.StringType,
        title="Quiet hours",
        description="Hours such as 21:00-08:00, in the time zone of the recipient, in which messages are postponed.",
    ),
    th.Property(
        "frequency_cap",
        th.ObjectType(
            th.Property("messages", th.IntegerType(minimum=0), required=True, description="Number of messages."),
            th.Property("per", _DURATION, required=True, description="Duration: 24h, 7d, or seconds."),
        ),
        title="Frequency cap",
        description='Maximum number of messages to a person in a duration: {"messages": 3, "per": "7d"}. Further '
        "messages are skipped.",
    ),
    th.Property(
        "once_per_campaign",
        th.BooleanType,
        default=False,
        title="Once per campaign",
        description="A person gets at most one message of a campaign, in all runs. Further messages are skipped, "
        "unless they are transactional.",
    ),
    th.Property(
        "suppression_attributes",
        th.ArrayType(th.StringType),
        default=["unsubscribed"],
        title="Suppression attributes",
        description="Profile attributes that stop messages to the person when they are true.",
    ),
    MAX_REQUESTS_PER_SECOND,
    REQUEST_TIMEOUT_SECONDS,
    USE_PROXY,
    th.Property(
        "max_rejects",
        th.CustomType({"type": ["integer", "string", "null"]}),
        title="Max rejects",
        description="The run fails if more records are rejected: a number, or a share such as 5%. If they are rejected "
        "before sending starts, nothing is sent.",
    ),
).to_dict()


def store_url_of(config: Mapping[str, Any]) -> str:
    """Return the URL of the store.

    Raises:
        SettingError: It is missing or empty, and the mode is send. A store that is created where the program happens to
            run would not know what other stores have sent.
    """
    if store_url := str(config.get("store_url") or "").strip():
        return store_url
    if config["mode"] == Mode.SEND:
        raise SettingError(
            "mode send needs the URL of the store, which knows what was sent already: sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST/DATABASE",
            setting="store_url",
        )
    return DEFAULT_STORE_URL


def policy_of(config: Mapping[str, Any]) -> MergePolicy:
    """Return the settings of the merge rules.

    Raises:
        SettingError: `identifier_precedence` does not contain each kind of identifier once.
    """
    precedence = tuple(IdentifierKind(kind) for kind in config["identifier_precedence"])
    if sorted(precedence) != sorted(IdentifierKind):
        raise SettingError(f"must contain each of {', '.join(IdentifierKind)} once", setting="identifier_precedence")
    return MergePolicy(
        precedence,
        IdentifierConflict(config["identifier_conflict"]),
        AttributeConflict(config["attribute_conflict"]),
        tuple(dict.fromkeys(map(CanonicalCriterion, config["canonical_line_id"]))),
        config["max_line_ids_per_profile"],
        tuple(config["suppression_attributes"]),
        config["max_people_per_email"],
        config["max_people_per_line_id"],
        config["max_identifiers_per_id"],
    )
