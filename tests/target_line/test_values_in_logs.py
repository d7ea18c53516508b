"""No log line contains a value of a record or a LINE ID, in any mode, whatever is wrong with the records."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, text

from line_core.api.errors import ApiError
from line_core.errors import StoreError
from line_core.ids import without_line_ids
from line_core.store.tables.runs import runs
from tests.support.people import line_id
from tests.support.target_program import TargetProgram

if TYPE_CHECKING:
    from pathlib import Path

    from line_core.store import Store

MARK = "Zq7mark"
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture
def program(sandbox_url: str, sqlite_url: str, tmp_path: Path) -> TargetProgram:
    config = {"api_url": sandbox_url, "channel_access_token": "sandbox-token", "store_url": sqlite_url}
    return TargetProgram(sandbox_url, tmp_path / "config.json", config)


def _profiles(one: str) -> list[dict[str, Any]]:
    return [
        {"id": f"{MARK}-1", "email": f"{MARK}@example.com", "line_id": one, "time_zone": f"{MARK}/zone", "name": MARK},
        {"id": f"{MARK}-2", "email": MARK, "line_id": line_id(1)},
        {"id": f"{MARK}-3", "line_id": f"U{MARK}"},
        {"id": {MARK: MARK}, "updated_at": MARK},
        {"id": f"{MARK}-4", "updated_at": f"{MARK} 2026"},
        {"id": f"{MARK}-5", "attributes": f"[{MARK}"},
        {"id": f"{MARK}\ud800", "name": f"{MARK}\x00"},
        {"email": "other@example.com", "unsubscribed": MARK, "updated_at": "9999-12-31"},
    ]


def _messages(one: str, two: str) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = [
        {"text": f"{MARK} {{{{ name }}}}"},
        {"text": f"{{{{ {MARK} }}}}"},
        {"text": f"{{% {MARK} %}}"},
        {"text": f"{{{{ name | {MARK} }}}}", "send_at": LATER},
        {"text": f"{{{{ variables.x }}}} {MARK}", "variables": {"x": {MARK: MARK}}},
        {"text": f"{{{{ variables.x | date: '{MARK}%Q' }}}}", "variables": f'{{"x": "{MARK}"}}'},
        {"messages": f'[{{"type": "{MARK}"}}]'},
        {"messages": f'[{{"type": "text", "text": "{MARK}"'},
        {"messages": {"type": "image", "originalContentUrl": f"http://{MARK}", "previewImageUrl": MARK}},
        {"text": MARK, "campaign": f"{MARK}-{MARK}"},
        {"text": MARK, "notification_disabled": MARK},
        {"text": MARK, "priority": MARK, "send_at": f"{MARK}Z"},
        {"text": MARK, "send_at": LATER, "expires_at": "2098-01-01"},
    ]
    rows = [{"message_id": f"m{number}", "line_id": one, **text} for number, text in enumerate(texts)]
    recipients: list[dict[str, Any]] = [
        {"id": f"{MARK}-404"},
        {"email": f"{MARK}@nowhere.example"},
        {"email": f"{MARK}@example.com"},
        {"line_id": f"{two} {MARK}"},
        {"group_id": "C" + "9" * 32},
        {"recipient": {"limit": {"max": MARK}, "filter": {MARK: MARK}}},
        {"recipient": MARK},
        {"id": "a", "email": MARK},
        {"line_id": two, MARK.lower(): MARK},
    ]
    rows += [{"message_id": f"r{number}", "text": MARK, **who} for number, who in enumerate(recipients)]
    return [*rows, {"message_id": {MARK: MARK}, "text": MARK}, {"text": MARK, "line_id": two}]


def test_log_lines_have_no_values_of_records_in_any_mode(program: TargetProgram) -> None:
    one, two = program.line_ids(2)
    follows = [
        {"line_id": two, "type": "follow", "occurred_at": "2026-01-01"},
        {"line_id": one, "type": MARK},
        {"line_id": MARK, "type": "follow", "occurred_at": MARK},
    ]
    records = [
        *(("profiles", row) for row in _profiles(one)),
        *(("follows", row) for row in follows),
        *(("messages", row) for row in _messages(one, two)),
        ("cancellations", {"message_id": {MARK: MARK}, "campaign": f"{MARK}-"}),
        ("cancellations", {"campaign": MARK}),
    ]
    for path in ("push", "multicast"):
        for prefix in ("", "validate/"):
            program.add_fault("status", path=f"/v2/bot/message/{prefix}{path}", status=400, probability=0.5, seed=1)
    for mode in ("plan", "validate", "send"):
        log = program.run(*records, mode=mode)
        shown = [line for line in log.splitlines() if MARK.lower() in line.lower() and "no meaning" not in line]
        assert shown == []
        # The bot's own id is logged, to be copied into expected_bot_user_id.
        lines = [line for line in log.splitlines() if "bot user id" not in line]
        assert [line for line in lines if re.search("U[0-9a-f]{32}", line)] == []


def test_an_error_of_a_stream_map_shows_no_values(program: TargetProgram) -> None:
    (one,) = program.line_ids(1)
    log = program.run(
        ("profiles", {"id": f"{MARK}-1", "line_id": one, "age": MARK}),
        ("profiles", {"id": "good", "age": "7"}),
        expect=3,  # all records are rejected
        stream_maps={"profiles": {"id": "id", "line_id": "line_id", "age": "int(age)"}},
    )
    assert MARK not in log


def test_errors_of_the_database_show_no_values(store: Store) -> None:
    row = {"run_id": MARK, "channel": MARK, "mode": "send", "started_at": datetime.now(UTC)}
    twice = insert(runs).values(**row, outcomes={}, profiles={})
    with store.write() as connection:
        connection.execute(twice)
    for statement in (twice, text("SELECT :value FROM no_such_table").bindparams(value=MARK)):
        with pytest.raises(StoreError) as caught, store.write() as connection:
            connection.execute(statement)
        assert MARK not in str(caught.value)
        assert "[parameters: " not in str(caught.value.__cause__)


def test_line_ids_in_error_texts_of_line_are_replaced() -> None:
    error = ApiError("POST /v2/bot/message/push", reason=f"{line_id(1)} is no friend", details=(f"to: C{'0' * 32}",))
    assert "(an id) is no friend" in str(error)
    assert "0" * 32 not in str(error)
    assert without_line_ids(f"LU{'a' * 32}-U{'b' * 32}, R{'0' * 32}") == "(an id), (an id)"
