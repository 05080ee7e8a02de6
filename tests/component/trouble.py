"""What the tests that stop and kill things share: looks into the own suite's database, and a death waited for."""

import signal
from typing import Any

import asyncpg

from shouwang.common.testing import eventually
from shouwang.stack.suite import Suite


async def fetchval(suite: Suite, query: str, *arguments: Any) -> Any:
    """One value, over a connection of its own: the database may have been away since the last look."""
    connection = await asyncpg.connect(suite.postgres.url)
    try:
        return await connection.fetchval(query, *arguments)
    finally:
        await connection.close()


async def unpublished(suite: Suite, service: str) -> int:
    """How much a service has committed and not told yet."""
    return int(await fetchval(suite, f"SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL"))


def pids(suite: Suite) -> list[int | None]:
    """Process ids: the same ones as long as nobody died."""
    return [suite.supervisor.pid(name) for name in ("location", "dispatch")]


async def end(suite: Suite, service: str, sign: signal.Signals) -> None:
    """Send a signal and wait until the process has gone; told to stop in order, it goes without a traceback."""
    pid, log = suite.supervisor.pid(service), suite.supervisor.log(service)
    logged = log.stat().st_size
    suite.supervisor.kill(service, sign)
    await eventually(lambda: suite.supervisor.pid(service) != pid)
    last_words = log.read_bytes()[logged:].decode()
    if sign == signal.SIGTERM and "Traceback" in last_words:
        await back(suite, service)  # the next test is not to blame
        raise AssertionError(last_words)


async def back(suite: Suite, service: str, within_s: float = 60.0) -> None:
    """Wait until the supervisor has started it again and it says that it is ready."""
    await eventually(lambda: suite.supervisor.pid(service))
    await suite.ready(service, within_s)
