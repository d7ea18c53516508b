"""Random retry keys for all requests: the negative control of the tests with two stores."""

from __future__ import annotations

import uuid


def random_key(*_: object) -> str:
    """Return a key that no other store derives."""
    return str(uuid.uuid4())


PATCHES: dict[str, object] = {"target_line.sending.claim.retry_keys.derived_key": random_key}
"""Makes `target-line` use these keys; for `programs.start`."""
