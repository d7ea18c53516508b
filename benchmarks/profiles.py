"""Throughput of tap-line's `profiles`, compared with a sequential SDK stream and LINE's official async client.

All three use the same sandbox, which responds after a latency and enforces LINE's limit of 2,000 requests per second.
With `--memory` two more runs show that memory does not grow with the number of followers.

    .venv/bin/python -m benchmarks.profiles
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, Configuration
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator

from benchmarks.measuring import Cost, run, sandbox
from examples.demo.servers import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "sandbox-token"
OFFICIAL_CONNECTIONS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--followers", type=int, default=50_000, help="profiles that tap-line fetches")
    parser.add_argument("--latency-ms", type=float, default=50, help="latency of the sandbox")
    parser.add_argument("--official", type=int, default=50_000, help="profiles that the official client fetches")
    parser.add_argument(
        "--sequential", type=int, default=300, help="profiles that the sequential stream fetches, up to 1,000"
    )
    parser.add_argument("--memory", action="store_true", help="also measure 10,000 and 200,000 followers")
    parser.add_argument("--only", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--sandbox", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        CLIENTS[arguments.only](arguments.sandbox, getattr(arguments, arguments.only))
        return
    print(
        f"{'program':<34}{'profiles':>10}{'seconds':>9}{'per second':>12}{'CPU s/1,000':>13}{'peak MB':>9}", flush=True
    )
    with sandbox(arguments.followers, arguments.latency_ms) as url:
        ours, our_cpu = show("tap-line", tap_line(url), arguments.followers)
        official, official_cpu = show(
            "line-bot-sdk, async, tuned", program("official", url, arguments), arguments.official
        )
        sequential, _ = show(
            "SDK child stream, sequential", program("sequential", url, arguments), arguments.sequential
        )
        limited = requests.get(f"{url}/sandbox/summary", timeout=60).json()["requests"][ENDPOINT].get("429", 0)
    print(f"\ntap-line is {ours / official:.2f} times the official client (LINE's 2,000/s limits both)")
    print(f"the official client takes {official_cpu / our_cpu:.2f} times the CPU time per profile")
    print(f"tap-line is {ours / sequential:.0f} times the sequential stream")
    print(f"requests that got 429, of all programs: {limited}")
    if arguments.memory:
        print()
        for followers in (10_000, 200_000):
            with sandbox(followers, arguments.latency_ms) as url:
                show(f"tap-line, {followers:,} followers", tap_line(url), followers)


ENDPOINT = "GET /v2/bot/profile/{userId}"


def show(name: str, cost: Cost, profiles: int) -> tuple[float, float]:
    """Print a row, and return profiles per second and CPU seconds per 1,000 profiles."""
    rate = profiles / cost.seconds
    cpu = cost.cpu_seconds / profiles * 1000
    print(f"{name:<34}{profiles:>10,}{cost.seconds:>9.1f}{rate:>12,.0f}{cpu:>13.2f}{cost.peak_mb:>9,.0f}", flush=True)
    return rate, cpu


def tap_line(url: str) -> Cost:
    """Run tap-line's `profiles` on an empty store."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        config = {"channel_access_token": TOKEN, "api_url": url, "store_url": f"sqlite:///{directory / 'store.db'}"}
        (directory / "config.json").write_text(json.dumps(config))
        discover = [str(PROGRAMS / "tap-line"), "--discover"]
        catalog = json.loads(subprocess.run(discover, capture_output=True, check=True).stdout)
        for stream in catalog["streams"]:
            stream["metadata"][-1]["metadata"]["selected"] = stream["tap_stream_id"] == "profiles"
        (directory / "catalog.json").write_text(json.dumps(catalog))
        files = ["--config", str(directory / "config.json"), "--catalog", str(directory / "catalog.json")]
        return run(PROGRAMS / "tap-line", *files, seconds_in_log=r'"sync_duration","value":([\d.]+)')


def program(name: str, url: str, arguments: argparse.Namespace) -> Cost:
    """Run one of the other clients in a separate process."""
    count = str(getattr(arguments, name))
    command = [sys.executable, "-m", "benchmarks.profiles", "--only", name, "--sandbox", url, f"--{name}", count]
    return run(*command, seconds_in_log=r"took ([\d.]+)")


def official(url: str, count: int) -> None:
    """Fetch profiles with the official client, tuned to its best number of connections."""

    async def fetch() -> float:
        configuration = Configuration(access_token=TOKEN, host=url)
        configuration.connection_pool_maxsize = OFFICIAL_CONNECTIONS
        async with AsyncApiClient(configuration) as client:
            api = AsyncMessagingApi(client)
            line_ids: list[str] = []
            start: str | None = None
            while len(line_ids) < count:
                page = await api.get_followers(start=start, limit=1000)
                line_ids += page.user_ids
                start = page.next
            slots = asyncio.Semaphore(OFFICIAL_CONNECTIONS)

            async def one(line_id: str) -> None:
                async with slots:
                    profile = await api.get_profile(line_id)
                sys.stdout.write(profile.to_json() + "\n")

            started = time.monotonic()
            await asyncio.gather(*(one(line_id) for line_id in line_ids[:count]))
            return time.monotonic() - started

    print(f"took {asyncio.run(fetch())}", file=sys.stderr)


class _PlainStream(RESTStream[str]):
    """A stream of LINE's API as the SDK's template makes it."""

    @property
    def url_base(self) -> str:
        url: str = self.config["api_url"]
        return url

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=TOKEN)


class _PlainFollowers(_PlainStream):
    name = "followers"
    path = "/v2/bot/followers/ids"
    schema = th.PropertiesList(th.Property("line_id", th.StringType)).to_dict()

    def get_new_paginator(self) -> None:
        return None

    def get_url_params(self, context: object, next_page_token: object) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        return {"limit": 1000}

    def parse_response(self, response: requests.Response) -> Iterator[dict[str, Any]]:
        yield from ({"line_id": line_id} for line_id in response.json()["userIds"][: self.config["count"]])

    def get_child_context(self, record: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG002 - the SDK's signature
        return {"line_id": record["line_id"]}


class _PlainProfiles(_PlainStream):
    name = "profiles"
    path = "/v2/bot/profile/{line_id}"
    records_jsonpath = "$"
    parent_stream_type = _PlainFollowers
    state_partitioning_keys: tuple[str, ...] = ()
    schema = th.PropertiesList(
        *(th.Property(name, th.StringType) for name in ("userId", "displayName", "pictureUrl", "language"))
    ).to_dict()


class _PlainTap(Tap):
    name = "tap-plain"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[_PlainStream]:
        return [_PlainFollowers(self), _PlainProfiles(self)]


def sequential(url: str, count: int) -> None:
    """Fetch profiles with a child stream, one at a time."""
    tap = _PlainTap(config={"api_url": url, "count": count})
    followers = tap.streams["followers"]
    started = time.monotonic()
    followers.sync()
    print(f"took {time.monotonic() - started}", file=sys.stderr)


CLIENTS = {"official": official, "sequential": sequential}

if __name__ == "__main__":
    main()
