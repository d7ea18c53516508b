from __future__ import annotations

import json
import logging

from line_webhook.json_logs import JsonFormatter


def test_a_record_with_an_exception_is_one_json_line_with_the_exception() -> None:
    error = ValueError("a defect")
    record = logging.LogRecord("name", logging.ERROR, __file__, 1, "failed: %s", ("x",), (ValueError, error, None))
    line = JsonFormatter().format(record)
    assert "\n" not in line
    parsed = json.loads(line)
    assert (parsed["level"], parsed["message"]) == ("error", "failed: x")
    assert "ValueError: a defect" in parsed["exception"]
