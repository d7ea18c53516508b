"""Channel names under which dry runs store their messages."""

from __future__ import annotations

DRAFT_PREFIX = "draft:"
"""Beginning of these names. No other channel has such a name."""


def draft_channel(run_id: str) -> str:
    """Return the channel name for the drafts of a run."""
    return f"{DRAFT_PREFIX}{run_id}"
