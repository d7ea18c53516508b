"""The listening socket of an HTTP server, and its URL."""

from __future__ import annotations

import socket

from line_core.errors import SettingError

_LAST_PORT = 65_535
_SETTING = "--host or --port"


def open_listener(host: str, port: int, *, backlog: int) -> socket.socket:
    """Open a TCP socket that listens on an address.

    Args:
        host: Host name or IP address. `::` also accepts IPv4 connections.
        port: Port number; 0 for a free port.
        backlog: Connections that the operating system queues before the server accepts them.

    Raises:
        SettingError: The host is unknown, or the address cannot be used.
    """
    if not 0 <= port <= _LAST_PORT:
        raise SettingError(f"cannot listen on {host}:{port}: the port must be 0 to {_LAST_PORT}", setting=_SETTING)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        is_dual_stack = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server((host, port), family=family, backlog=backlog, dualstack_ipv6=is_dual_stack)
    except OSError as error:
        raise SettingError(f"cannot listen on {host}:{port}: {error.strerror}", setting=_SETTING) from None


def http_url(host: str, port: int) -> str:
    """Return the base URL of a server; an IPv6 address stands in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
