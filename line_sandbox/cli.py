"""The program `line-sandbox`."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from line_core.errors import LineError

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_PORT = 65535
_EXTRA_PACKAGES = ("cryptography", "httptools", "jwt", "uvicorn")
_COUNT = click.IntRange(min=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    try:
        return int(_program.main(arguments, prog_name="line-sandbox", standalone_mode=False) or 0)
    except click.UsageError as error:
        program = error.ctx.command_path if error.ctx else "line-sandbox"
        usage = f"{error.ctx.get_usage()}\n" if error.ctx else ""
        click.echo(f"{usage}{program}: error: {error.format_message()}", err=True)
        return error.exit_code
    except click.Abort:  # Ctrl+C
        return 130
    except LineError as error:
        click.echo(f"line-sandbox: {error}", err=True)
        return 1


@click.group(
    help="Simulate the LINE platform: Messaging API, users and webhooks. Nothing leaves this machine.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)
@click.version_option(package_name="singer-line", message="%(prog)s %(version)s")
def _program() -> None:
    pass


def _not_empty(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    if not text:
        raise click.BadParameter("must not be empty")
    return text


def _finite(_context: click.Context, _parameter: click.Parameter, number: float) -> float:
    if not math.isfinite(number):
        raise click.BadParameter("must be a finite number")
    return number


@_program.command(
    "serve",
    help="Serve the simulated platform over HTTP.",
    epilog="Point clients at the printed URL, for both api.line.me and api-data.line.me. The control API for users, "
    "deliveries, faults, clock and webhooks is under /sandbox/; see docs/sandbox.md.",
    context_settings={"show_default": True},
)
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, _MAX_PORT), default=8800, help="Port to listen on; 0 for a free port.")
@click.option("--followers", type=_COUNT, default=1000, help="Number of users who follow the account.")
@click.option("--seed", type=int, default=1, help="Seed of the generated users, ids and events.")
@click.option(
    "--latency-ms",
    type=click.FloatRange(min=0),
    callback=_finite,
    default=0.0,
    help="Delay of each response, in milliseconds.",
)
@click.option("--quota", type=_COUNT, help="Monthly message quota; no limit if omitted.")
@click.option("--unverified", is_flag=True, help="Simulate an account that LINE has not verified.")
@click.option(
    "--module-bots",
    type=_COUNT,
    default=0,
    help="Simulate a module channel that is attached to this number of accounts.",
)
@click.option(
    "--multicast-rejects-unknown-ids",
    is_flag=True,
    help="Reject multicasts with IDs that the channel does not know, instead of ignoring the IDs.",
)
@click.option(
    "--notification-messages", is_flag=True, help="Simulate an account with a contract for LINE notification messages."
)
@click.option("--no-rate-limits", is_flag=True, help="Do not enforce LINE's rate limits.")
@click.option("--no-access-log", is_flag=True, help="Do not write a line to stderr for each request.")
@click.option(
    "--access-token", callback=_not_empty, default="sandbox-token", help="Long-lived access token of the channel."
)
@click.option("--channel-id", callback=_not_empty, default="1234567890", help="Id of the channel.")
@click.option("--channel-secret", callback=_not_empty, default="sandbox-secret", help="Secret of the channel.")
def _serve(  # noqa: PLR0913 - click passes each option by keyword
    *,
    host: str,
    port: int,
    latency_ms: float,
    unverified: bool,
    no_rate_limits: bool,
    no_access_log: bool,
    **platform_options: Any,
) -> None:
    missing = next((name for name in _EXTRA_PACKAGES if find_spec(name) is None), None)
    if missing:
        raise LineError(f"the sandbox needs {missing}: install the extra with pip install 'singer-line[sandbox]'")
    from line_sandbox.control import create_control_router  # noqa: PLC0415 - needs the extra
    from line_sandbox.platform import PlatformOptions  # noqa: PLC0415 - as above
    from line_sandbox.server.sandbox import Sandbox, SandboxOptions  # noqa: PLC0415 - as above
    from line_sandbox.server.serving import serve  # noqa: PLC0415 - as above

    sandbox = Sandbox(
        SandboxOptions(
            platform=PlatformOptions(verified=not unverified, **platform_options),
            latency_seconds=latency_ms / 1000,
            rate_limits=not no_rate_limits,
        )
    )
    serve(sandbox, create_control_router(sandbox), host=host, port=port, access_log=not no_access_log)


if __name__ == "__main__":
    sys.exit(main())
