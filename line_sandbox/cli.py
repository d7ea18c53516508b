"""The program `line-sandbox`."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from line_core.errors import LineError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_PORT = 65535
_DESCRIPTION = "A local LINE platform: the Messaging API, followers who get what is sent, and webhooks. Nothing leaves \
this machine."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code."""
    options = _parser().parse_args(arguments)
    try:
        _serve(options)
    except KeyboardInterrupt:
        return 130
    except LineError as error:
        print(f"line-sandbox: {error}", file=sys.stderr)  # noqa: T201 - the program's last word
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="line-sandbox", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('singer-line')}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve",
        help="play LINE at an address of this machine",
        description=_DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        epilog="Point clients at the URL that it prints, both for api.line.me and api-data.line.me. Its followers, "
        "deliveries, faults, clock and webhooks are under /sandbox/; see docs/sandbox.md.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=_port, default=8800, help="port to listen on; 0 takes a free one")
    serve.add_argument("--followers", type=_count, default=1000, help="people who follow the account")
    serve.add_argument("--seed", type=int, default=1, help="the same seed gives the same people, ids and histories")
    serve.add_argument("--latency-ms", type=_milliseconds, default=0.0, help="time that every answer takes")
    serve.add_argument("--quota", type=_count, default=None, help="messages a month; without it there is no limit")
    serve.add_argument("--unverified", action="store_true", help="play an account that LINE has not verified")
    serve.add_argument(
        "--module-bots", type=_count, default=0, help="play a module channel that so many accounts have attached"
    )
    serve.add_argument("--no-rate-limits", action="store_true", help="never answer 429 for being called too often")
    serve.add_argument("--no-access-log", action="store_true", help="no line a request on stderr")
    serve.add_argument(
        "--access-token", type=_text, default="sandbox-token", help="the channel's long-lived access token"
    )
    serve.add_argument("--channel-id", type=_text, default="1234567890", help="the channel's id")
    serve.add_argument("--channel-secret", type=_text, default="sandbox-secret", help="the channel's secret")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _port(text: str) -> int:
    number = _count(text)
    if number > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be {_LAST_PORT} or less")
    return number


def _text(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def _milliseconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("must be 0 or more")
    return number


def _serve(options: argparse.Namespace) -> None:
    try:
        from line_sandbox.server.serving import serve  # noqa: PLC0415 - the web server is an extra
    except ModuleNotFoundError as error:
        raise LineError(
            f"the sandbox needs {error.name}: install the extra with pip install 'singer-line[sandbox]'"
        ) from None
    from line_sandbox.control import create_control_router  # noqa: PLC0415 - as above
    from line_sandbox.platform import PlatformOptions  # noqa: PLC0415 - as above
    from line_sandbox.server.sandbox import Sandbox, SandboxOptions  # noqa: PLC0415 - as above

    sandbox = Sandbox(
        SandboxOptions(
            platform=PlatformOptions(
                followers=options.followers,
                seed=options.seed,
                quota=options.quota,
                verified=not options.unverified,
                module_bots=options.module_bots,
                access_token=options.access_token,
                channel_id=options.channel_id,
                channel_secret=options.channel_secret,
            ),
            latency_seconds=options.latency_ms / 1000,
            rate_limits=not options.no_rate_limits,
        ),
    )
    serve(
        sandbox,
        create_control_router(sandbox),
        host=options.host,
        port=options.port,
        access_log=not options.no_access_log,
    )


if __name__ == "__main__":
    sys.exit(main())
