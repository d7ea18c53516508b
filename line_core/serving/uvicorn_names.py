"""All names of uvicorn that it does not document. Import them from here only.

pyproject.toml bounds uvicorn's version. To raise the bound, run `tests/line_core/serving/test_uvicorn_names.py`: it
names each attribute that is gone.

`HttpToolsProtocol` is the `asyncio` protocol of one HTTP/1.1 connection. The subclasses in this project override its
callbacks and read the attributes in `PROTOCOL_ATTRIBUTES`.
"""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

__all__ = ["CYCLE_ATTRIBUTES", "PROTOCOL_ATTRIBUTES", "PROTOCOL_CALLBACKS", "HttpToolsProtocol", "Multiprocess"]

PROTOCOL_CALLBACKS: Final = (
    "connection_made",
    "data_received",
    "connection_lost",
    "on_message_begin",
    "on_body",
    "on_message_complete",
)
"""Methods of `HttpToolsProtocol` that the project overrides."""

PROTOCOL_ATTRIBUTES: Final = ("client", "config", "cycle", "loop", "transport")
"""Attributes of `HttpToolsProtocol` that the project reads."""

CYCLE_ATTRIBUTES: Final = ("response_complete",)
"""Attributes of `HttpToolsProtocol.cycle` that the project reads."""
