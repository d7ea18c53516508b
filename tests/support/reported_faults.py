"""Small inputs of situations that users of identity systems reported, and what is right."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Record = tuple[str, dict[str, Any]]


def profile(at: str | None = None, **columns: Any) -> Record:
    """Return a `profiles` record with a time such as `02-01` (of 2024), or a whole time."""
    time = f"2024-{at}T00:00:00Z" if at and re.fullmatch(r"\d\d-\d\d", at) else at
    return "profiles", {**columns, **({"updated_at": time} if time else {})}


def message(name: str, *, text: str = "Hello", **recipient: Any) -> Record:
    """Return a `messages` record."""
    return "messages", {"message_id": name, "text": text, **recipient}


@dataclass(frozen=True)
class Fault:
    """Records, and what is right.

    In records and expectations, `L1` to `L9` stand for LINE IDs of followers, `c-1` for an id and `example.com` for a
    domain that no other fault uses.
    """

    name: str
    runs: list[list[Record]]
    """Records of runs that follow each other."""
    messages: dict[str, tuple[str, str] | str]
    """By message: the LINE ID and the text that it was sent to and with, or the reason why it was not sent."""
    profiles: list[dict[str, Any]] = field(default_factory=list)
    """Profiles that exist, each with some of its columns."""
    number_of_profiles: int | None = None
    rejects: dict[str, int] = field(default_factory=dict)
    """Number of rejects by reason."""
    commands: list[list[str]] = field(default_factory=list)
    """Commands of target-line-admin, after the first run."""
    settings: dict[str, Any] = field(default_factory=dict)
    has_own_store: bool = False
    """Whether the commands use numbers of rows, which depend on the whole store."""

    def with_names(self, value: Any, line_ids: list[str]) -> Any:
        """Return a value with the names that are this fault's own."""
        match value:
            case str():
                text = re.sub(r"\bL([1-9])\b", lambda found: line_ids[int(found[1]) - 1], value)
                text = re.sub(r"\bc-(\d+)\b", lambda found: f"{self.name}-{found[1]}", text)
                return re.sub(r"example(?=[.。]com)", f"{self.name}.example", text)
            case dict():
                return {self.with_names(key, line_ids): self.with_names(item, line_ids) for key, item in value.items()}
            case list() | tuple():
                return [self.with_names(item, line_ids) for item in value]
            case _:
                return value


def _opt_out_pair(number: int, yes: Any, other: Any) -> list[Record]:
    person = {"id": f"c-{number}", "line_id": f"L{number}"}
    return [
        profile("02-01", **person, unsubscribed=yes),
        profile("02-01", **person, unsubscribed=other),
        message(f"m-{number}", id=f"c-{number}"),
    ]


_SHOP_TABLET: list[Record] = [
    profile("01-02", email="aoi@example.com", line_id="L1", name="Aoi"),
    profile("01-03", email="ben@example.com", line_id="L1", name="Ben"),
    profile("01-04", email="chie@example.com", line_id="L1", name="Chie"),
    profile("01-03", email="ben@example.com", line_id="L2"),
    message("a", email="aoi@example.com", text="Dear {{ profile.name }}"),
    message("b", email="ben@example.com", text="Dear {{ profile.name }}"),
    message("tablet", line_id="L1", text="Dear {{ profile.name | default: 'customer' }}"),
]
_TWO_EMAILS: list[Record] = [
    profile("01-02", email="aoi@example.com", line_id="L1", name="Aoi"),
    profile("01-03", email="ben@example.com", line_id="L1", name="Ben"),
    message("a", email="aoi@example.com", text="Dear {{ profile.name }}"),
    message("b", email="ben@example.com", text="Dear {{ profile.name }}"),
]
_EMAIL_STRONGEST = {"identifier_precedence": ["email", "id", "line_id"]}
_FAMILY = [
    profile("01-02", id="c-1", email="family@example.com", line_id="L1", name="Aoi"),
    profile("01-03", id="c-2", email="family@example.com", line_id="L2", name="Ben"),
]
_PLACEHOLDER_IDS = [
    *("00000000-0000-0000-0000-000000000000", "[object Object]", "(null)", "<null>", '"null"', "\\N", "#N/A", "N.A."),
    *("not_authenticated", "true", "False", "-1", "00", "0.0", "?", "未設定", "なし", "ｎｕｌｌ", "NULL\u200b", "xxx"),
]
_PLACEHOLDER_EMAILS = [
    *("null@null.com", "unknown@unknown.net", "undefined@undefined.com", "na@na.com", "no-reply@example.com"),
    *("noreply@example.com", "donotreply@example.com", "n/a"),
]
_SPELLINGS_OF_AN_EMAIL = [
    *("aoi@example.com", "AOI@Example.com", " aoi@example.com ", "ａｏｉ@example.com", "aoi@example.com\u200b"),
    *("\ufeffaoi@example.com", "aoi@\u00adexample.com", "aoi@example.com.", "<aoi@example.com>", "aoi@example.com;"),
    *("mailto:aoi@example.com", "aoi@example.com,", "'aoi@example.com'", "aoi@example。com"),
]

FAULTS = [
    Fault(
        "opt-out-at-equal-time",
        [
            [
                *_opt_out_pair(1, "Y", "n"),
                *_opt_out_pair(2, "false", "TRUE"),
                *_opt_out_pair(3, "Yes", "no"),
                *_opt_out_pair(4, 1, None),
                *_opt_out_pair(5, None, "yes"),
                *_opt_out_pair(6, True, False),
                profile(id="c-7", line_id="L7", attributes={"unsubscribed": "on"}),
                profile(id="c-7", line_id="L7", attributes={"unsubscribed": "off"}),
                message("m-7", id="c-7"),
                *_opt_out_pair(8, "n", None),
            ]
        ],
        {**{f"m-{number}": "suppressed" for number in range(1, 8)}, "m-8": ("L8", "Hello")},
    ),
    Fault(
        "opt-out-then-null",
        [
            [
                profile("02-01", id="c-1", line_id="L1", unsubscribed=True),
                profile("02-02", id="c-1", line_id="L1", unsubscribed=None),
                profile("02-01", id="c-2", line_id="L2", unsubscribed="yes"),
                profile("02-01", id="c-3", line_id="L3", unsubscribed="yes"),
            ],
            [
                profile("02-02", id="c-2", line_id="L2", unsubscribed=""),
                profile("02-02", id="c-3", line_id="L3", unsubscribed="no"),
                *(message(f"m-{number}", id=f"c-{number}") for number in (1, 2, 3)),
            ],
        ],
        {"m-1": "suppressed", "m-2": "suppressed", "m-3": ("L3", "Hello")},
    ),
    Fault(
        "opt-out-column-in-upper-case",
        [
            [
                profile("02-01", id="c-1", line_id="L1", UNSUBSCRIBED=True),
                profile("02-01", id="c-2", line_id="L2", attributes={"Unsubscribed": "Y"}),
                message("m-1", id="c-1"),
                message("m-2", id="c-2"),
            ]
        ],
        {"m-1": "suppressed", "m-2": "suppressed"},
    ),
    Fault(
        "opt-out-column-in-upper-case-with-a-stream-map",
        [
            [
                (
                    "CUSTOMERS",
                    {"KEY": "c-1", "LINE_ID": "L1", "UPDATED_AT": "2024-01-01T00:00:00Z", "UNSUBSCRIBED": True},
                ),
                (
                    "CUSTOMERS",
                    {"KEY": "c-2", "LINE_ID": "L2", "UPDATED_AT": "2024-01-01T00:00:00Z", "UNSUBSCRIBED": False},
                ),
                message("m-1", id="c-1"),
                message("m-2", id="c-2"),
            ]
        ],
        {"m-1": "suppressed", "m-2": ("L2", "Hello")},
        settings={
            "stream_maps": {
                "CUSTOMERS": {
                    "__alias__": "profiles",
                    "id": "KEY",
                    "line_id": "LINE_ID",
                    "updated_at": "UPDATED_AT",
                    "__key_properties__": ["id"],
                }
            }
        },
    ),
    Fault(
        "opt-out-of-an-email-with-an-invisible-character",
        [
            [
                profile("02-01", id="c-1", email="aoi@example.com\u200b", line_id="L1"),
                profile("02-01", email="aoi@example.com", unsubscribed=True),
                message("m-1", email="aoi@example.com"),
                message("m-2", id="c-1"),
            ]
        ],
        {"m-1": "suppressed", "m-2": "suppressed"},
        number_of_profiles=1,
    ),
    Fault(
        "opt-out-of-a-rejected-record",
        [
            [
                profile("02-01", id="c-1", line_id="L1"),
                profile("yesterday", id="c-1", unsubscribed=True),
                profile("02-01", id="c-2", line_id="L2"),
                profile("02-02", id="c-2", email="nobody", unsubscribed=True),
                message("m-1", id="c-1"),
                message("m-2", id="c-2"),
            ]
        ],
        {"m-1": "suppressed", "m-2": "suppressed"},
        rejects={"invalid_timestamp": 1, "invalid_email": 1},
    ),
    Fault(
        "opt-out-of-an-email-that-moved",
        [
            [
                profile("02-01", id="c-1", email="aoi@example.com", line_id="L1"),
                profile("02-01", email="aoi@example.com", unsubscribed=True),
                profile("02-02", id="c-2", email="aoi@example.com", line_id="L2"),
                profile("02-03", id="c-9", line_id="L1"),
                message("m-1", id="c-9"),
                message("m-2", id="c-2"),
            ]
        ],
        {"m-1": "suppressed", "m-2": "suppressed"},
    ),
    Fault(
        "erased-member-of-a-family",
        [
            _FAMILY,
            [
                profile("02-01", id="c-1", email="family@example.com", line_id="L1", name="Aoi", unsubscribed=True),
                message("m-1", id="c-1"),
            ],
        ],
        {"m-1": "suppressed"},
        commands=[["forget", "--yes", "c-2"]],
    ),
    Fault(
        "erased-user-of-a-common-line-id",
        [
            [profile(f"01-0{number}", id=f"c-{number}", line_id="L1") for number in (1, 2, 3)],
            [profile(f"02-0{number}", id=f"c-{number}", line_id="L1", city="Kobe") for number in (1, 2)],
        ],
        {},
        commands=[["forget", "--yes", "c-3"]],
        profiles=[{"id": f"c-{number}", "line_id": None, "attributes": {"city": "Kobe"}} for number in (1, 2)],
    ),
    Fault(
        "erased-person-returns",
        [
            [profile("01-01", id="c-2", email="ben@example.com", line_id="L2", name="Ben")],
            [
                profile("02-01", id="c-7", email="ben.new@example.com", line_id="L2", name="Ben"),
                message("m-1", id="c-7"),
                message("m-2", line_id="L2"),
            ],
        ],
        {"m-1": ("L2", "Hello"), "m-2": ("L2", "Hello")},
        profiles=[{"id": "c-7", "email": "ben.new@example.com", "line_id": "L2"}],
        commands=[["forget", "--yes", "c-2"], ["admit", "L2", "--reason", "registered again"]],
    ),
    Fault(
        "erased-line-id-in-a-record-of-somebody-else",
        [
            [profile("01-01", id="c-2", line_id="L2")],
            [profile("02-01", id="c-7", line_id="L2", name="Ben"), message("m-1", id="c-7")],
        ],
        {"m-1": "no_line_id"},
        profiles=[{"id": "c-7", "line_id": None, "attributes": {"name": "Ben"}}],
        commands=[["forget", "--yes", "c-2"]],
    ),
    Fault(
        "email-given-up",
        [
            [profile("01-01", id="c-1", email="suzuki@example.com", line_id="L1", name="Hana")],
            [profile("02-01", id="c-1", email="hana.new@example.com", line_id="L1", name="Hana")],
            [
                profile("03-01", email="suzuki@example.com", line_id="L2", name="Ken"),
                message("result", id="c-1", text="{{ profile.name }}, your test result"),
                message("news", email="suzuki@example.com", text="News for {{ profile.name }}"),
            ],
        ],
        {"result": ("L1", "Hana, your test result"), "news": ("L2", "News for Ken")},
        number_of_profiles=2,
    ),
    Fault(
        "email-typed-by-a-stranger",
        [
            [
                profile("01-02", id="c-1", email="aoi@example.com", line_id="L1", name="Aoi"),
                profile("01-03", email="aoi@example.com", line_id="L2"),
                message("m-1", id="c-1", text="Hi {{ profile.name }}"),
            ],
            [
                profile("01-04", id="c-1", email="aoi@example.com", line_id="L1", name="Aoi"),
                message("m-2", id="c-1", text="Hi again {{ profile.name }}"),
            ],
        ],
        {"m-1": ("L1", "Hi Aoi"), "m-2": ("L1", "Hi again Aoi")},
    ),
    Fault(
        "relinked",
        [
            [
                profile("01-02", id="c-1", line_id="L1"),
                ("follows", {"line_id": "L1", "type": "follow", "occurred_at": "2024-01-01T00:00:00Z"}),
            ],
            [profile("01-03", id="c-1", line_id="L2"), message("m-1", id="c-1")],
        ],
        {"m-1": ("L2", "Hello")},
    ),
    Fault(
        "device-of-two-customers",
        [
            [
                profile("01-02", id="c-1", line_id="L1", linked_at="2024-01-02T00:00:00Z"),
                profile("01-03", id="c-2", line_id="L1", linked_at="2024-01-03T00:00:00Z"),
                profile("01-04", id="c-1", line_id="L1", linked_at="2024-01-02T00:00:00Z", city="Kobe"),
                message("m-1", id="c-1"),
                message("m-2", id="c-2"),
            ],
        ],
        {"m-1": "no_line_id", "m-2": ("L1", "Hello")},
    ),
    Fault(
        "unlinked",
        [
            [profile("01-02", id="c-1", email="aoi@example.com", line_id="L1")],
            [profile("01-03", id="c-1", line_id=None), message("m-1", id="c-1"), message("m-2", line_id="L1")],
        ],
        {"m-1": "no_line_id", "m-2": ("L1", "Hello")},
        settings={"null_identifiers": "clear"},
    ),
    Fault(
        "tablet-of-a-shop",
        [_SHOP_TABLET],
        {"a": "no_line_id", "b": ("L2", "Dear Ben"), "tablet": ("L1", "Dear Chie")},
        number_of_profiles=3,
    ),
    Fault(
        "tablet-of-a-shop-first",
        [_SHOP_TABLET],
        {"a": ("L1", "Dear Aoi"), "b": ("L2", "Dear Ben"), "tablet": ("L1", "Dear Aoi")},
        settings={"identifier_conflict": "first"},
    ),
    Fault(
        "tablet-of-a-shop-reject",
        [_SHOP_TABLET],
        {"a": "no_line_id", "b": ("L2", "Dear Ben"), "tablet": "ambiguous_identity"},
        number_of_profiles=4,
        rejects={"ambiguous_identity": 4},  # three records and a message
        settings={"identifier_conflict": "reject"},
    ),
    Fault(
        "tablet-of-a-shop-shared",
        [_SHOP_TABLET],
        {"a": "no_line_id", "b": ("L2", "Dear Ben"), "tablet": "shared_line_id"},
        number_of_profiles=3,
        rejects={"shared_line_id": 2},  # the LINE ID and a message
        settings={"max_people_per_line_id": 2},
    ),
    Fault(
        "two-emails-on-one-line-id",
        [_TWO_EMAILS],
        {"a": "no_line_id", "b": ("L1", "Dear Ben")},
        settings=_EMAIL_STRONGEST,
    ),
    Fault(
        "two-emails-on-one-line-id-reject",
        [_TWO_EMAILS],
        {"a": "no_line_id", "b": "no_line_id"},
        settings={**_EMAIL_STRONGEST, "identifier_conflict": "reject"},
    ),
    Fault(
        "placeholder-id-of-strangers",
        [
            [
                *(
                    profile(
                        f"01-0{number}",
                        id="00000000-0000-0000-0000-000000000000",
                        email=f"p{number}@example.com",
                        line_id=f"L{number}",
                        name=f"P{number}",
                    )
                    for number in (1, 2, 3)
                ),
                message("contract", email="p1@example.com", text="Contract of {{ profile.name }}"),
            ]
        ],
        {"contract": ("L1", "Contract of P1")},
        number_of_profiles=3,
    ),
    Fault(
        "placeholder-ids",
        [[profile("02-01", id=value, name="Name") for value in _PLACEHOLDER_IDS]],
        {},
        number_of_profiles=0,
        rejects={"junk_identifier": len(_PLACEHOLDER_IDS)},
    ),
    Fault(
        "people-whose-ids-look-like-placeholders",
        [
            [
                profile("02-01", id=value, email=f"p{number}@example.com")
                for number, value in enumerate(["007", "10", "guest-7", "null-island"])
            ]
        ],
        {},
        number_of_profiles=4,
    ),
    Fault(
        "placeholder-emails",
        [[profile("02-01", email=value, name="Name") for value in _PLACEHOLDER_EMAILS]],
        {},
        number_of_profiles=0,
        rejects={"junk_identifier": len(_PLACEHOLDER_EMAILS)},
    ),
    Fault(
        "placeholder-beside-a-good-identifier",
        [
            [
                profile("02-01", id="c-1", email="n/a", line_id="L1", name="Aoi"),
                profile("02-01", id="null", email="ben@example.com", line_id="L2", name="Ben"),
                message("m-1", id="c-1", text="Hi {{ profile.name }}"),
                message("m-2", email="ben@example.com", text="Hi {{ profile.name }}"),
            ]
        ],
        {"m-1": ("L1", "Hi Aoi"), "m-2": ("L2", "Hi Ben")},
        number_of_profiles=2,
        rejects={"junk_identifier": 2},
    ),
    Fault(
        "id-of-guest-checkouts",
        [
            [
                *(profile("02-01", id="c-1", email=f"g{number}@example.com", name=f"G{number}") for number in range(9)),
                message("m-1", id="c-1"),
            ]
        ],
        {"m-1": "shared_id"},
        number_of_profiles=9,
        profiles=[{"id": None, "email": "g3@example.com", "attributes": {"name": "G3"}}],
        rejects={"shared_id": 2},  # the id and a message
        settings={"max_identifiers_per_id": 8},
    ),
    Fault(
        "null-against-values-at-equal-time",
        [
            [
                profile("02-01", id="c-1", name="Aoi", points=120, vip=True, active=False, tags=["a"], zip={"a": 1}),
                profile("02-01", id="c-1", name=None, points=None, vip=None, active=None, tags=None, zip=None),
            ]
        ],
        {},
        profiles=[
            {
                "id": "c-1",
                "attributes": {
                    "name": "Aoi",
                    "points": 120,
                    "vip": True,
                    "active": False,
                    "tags": ["a"],
                    "zip": {"a": 1},
                },
            }
        ],
    ),
    Fault(
        "local-times",
        [
            [
                profile("2024-02-02T03:00:00Z", id="c-1", line_id="L2", plan="gold"),
                profile("2024-02-02 10:00:00", id="c-1", line_id="L1", plan="free"),
                message("m-1", id="c-1", text="plan {{ profile.plan }}"),
            ]
        ],
        {"m-1": ("L2", "plan gold")},
        settings={"time_zone": "Asia/Tokyo"},
    ),
    Fault(
        "milliseconds-as-text",
        [
            [
                profile("01-01", id="c-1", line_id="L1", plan="old"),
                profile("1712030400000", id="c-1", line_id="L2", plan="new"),
                message("m-1", id="c-1", text="{{ profile.plan }}"),
            ]
        ],
        {"m-1": ("L2", "new")},
    ),
    Fault(
        "time-in-the-future",
        [
            [
                profile("01-01", id="c-1", line_id="L1"),
                profile("9999-12-31T00:00:00Z", id="c-1", line_id="L1", name="Wrong", unsubscribed=True),
                ("follows", {"line_id": "L1", "type": "unfollow", "occurred_at": "9999-12-31T00:00:00Z"}),
            ],
            [
                profile("02-01", id="c-1", line_id="L1", name="Right", unsubscribed=False),
                message("m-1", id="c-1", text="Hi {{ profile.name }}"),
            ],
        ],
        {"m-1": ("L1", "Hi Right")},
        rejects={"invalid_timestamp": 2},
    ),
    Fault(
        "big-numbers-with-point-zero",
        [
            [
                profile("01-01", id=9007199254740993, name="Int A"),
                profile("01-02", id=9007199254740993.0, name="Float A"),
                profile("01-03", id=9007199254740992, name="Int B"),
                profile("01-04", id=1234567890123456789.0, name="Snow 1"),
                ("messages", {"message_id": 1234567890123456789.0, "line_id": "L1", "text": "to 1"}),
                ("messages", {"message_id": 1234567890123456790.0, "line_id": "L2", "text": "to 2"}),
            ]
        ],
        {},
        profiles=[
            {"id": "9007199254740993", "attributes": {"name": "Int A"}},
            {"id": "9007199254740992", "attributes": {"name": "Int B"}},
        ],
        rejects={"invalid_id": 2, "no_message_id": 2},
    ),
    Fault(
        "spellings-of-an-email",
        [
            [
                *(profile("01-01", email=value) for value in _SPELLINGS_OF_AN_EMAIL),
                *(
                    profile("01-01", email=value)
                    for value in ("aoi@bücher.example.com", "aoi@xn--bcher-kva.example.com")
                ),
                *(profile("01-01", email=value) for value in ("aoi+shop@example.com", "a.o.i@example.com")),
            ]
        ],
        {},
        profiles=[{"email": "aoi@example.com"}, {"email": "aoi+shop@example.com"}, {"email": "a.o.i@example.com"}],
        number_of_profiles=4,
    ),
    Fault(
        "spellings-of-an-id",
        [
            [
                profile(f"01-0{number}", id=value, line_id="L1", name=f"spelling {number}")
                for number, value in enumerate([4207, "4207", 4207.0, " 4207 ", "4207\u200b", "\ufeff4207"], start=1)
            ]
        ],
        {},
        profiles=[{"id": "4207", "line_id": "L1", "attributes": {"name": "spelling 6"}}],
        number_of_profiles=1,
    ),
    Fault(
        "padded-and-blank-line-ids",
        [
            [
                profile("02-01", id="c-1", line_id="L1   "),
                profile("02-01", id="c-2", line_id="\tL2"),
                profile("02-01", id="c-3", line_id="   "),
                *(message(f"m-{number}", id=f"c-{number}") for number in (1, 2, 3)),
            ]
        ],
        {"m-1": ("L1", "Hello"), "m-2": ("L2", "Hello"), "m-3": "no_line_id"},
    ),
    Fault(
        "line-id-moved-twice",
        [
            [
                *(profile(f"01-0{number}", id=f"c-{number}", line_id="L1") for number in (1, 2, 3)),
                *(message(f"m-{number}", id=f"c-{number}") for number in (1, 2, 3)),
            ]
        ],
        {"m-1": "no_line_id", "m-2": "no_line_id", "m-3": ("L1", "Hello")},
    ),
    Fault(
        "line-id-moved-twice-and-moved-back-once",
        [
            [profile(f"01-0{number}", id=f"c-{number}", line_id="L1") for number in (1, 2, 3)],
            [message(f"m-{number}", id=f"c-{number}") for number in (1, 2, 3)],
        ],
        {"m-1": "no_line_id", "m-2": ("L1", "Hello"), "m-3": "no_line_id"},
        commands=[["unmerge", "--yes", "2"]],
        has_own_store=True,
    ),
    Fault(
        "line-id-moved-twice-and-moved-back-twice",
        [
            [profile(f"01-0{number}", id=f"c-{number}", line_id="L1") for number in (1, 2, 3)],
            [message(f"m-{number}", id=f"c-{number}") for number in (1, 2, 3)],
        ],
        {"m-1": ("L1", "Hello"), "m-2": "no_line_id", "m-3": "no_line_id"},
        commands=[["unmerge", "--yes", "2"], ["unmerge", "--yes", "1"]],
        has_own_store=True,
    ),
    Fault(
        "unmerged-by-mistake",
        [
            [
                ("follows", {"line_id": "L1", "type": "follow", "occurred_at": "2024-01-01T00:00:00Z"}),
                profile("01-02", id="c-1", email="aoi@example.com", line_id="L1"),
            ],
            [
                profile("02-01", id="c-1", email="aoi@example.com", line_id="L1"),
                message("m-1", id="c-1"),
            ],
        ],
        {"m-1": ("L1", "Hello")},
        commands=[["unmerge", "--yes", "1"], ["undo", "--yes", "1"]],
        has_own_store=True,
    ),
]
