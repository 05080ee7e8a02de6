"""Helpers for tests against a real broker and a real database: look until it is so, ask, read what was kept.

Nothing here sleeps for a guessed time: a test waits for the fact it is about, or fails saying what it saw instead.
"""

import asyncio
import contextlib
import http.client
import inspect
import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from prometheus_client.parser import text_string_to_metric_families

from shouwang.common.service import Service
from shouwang.common.tables import channel

WITHIN_S = 30.0
"""Patience of a test on a busy machine: it costs nothing while the thing waited for happens."""


async def eventually(condition: Callable[[], Any], within_s: float = WITHIN_S, every_s: float = 0.02) -> Any:
    """Call `condition` (plain or async) until what it gives is true; gives that.

    Raises: AssertionError with the last thing seen, or the last assertion that failed inside.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while True:
        failed: AssertionError | None = None
        seen: Any = None
        try:
            seen = await _outcome(condition)
        except AssertionError as error:
            failed = error
        if seen:
            return seen
        if loop.time() >= end:
            raise AssertionError(f"not so within {within_s:g} s; last seen: {failed or repr(seen)}") from failed
        await asyncio.sleep(every_s)


async def becomes(look: Callable[[], Any], wanted: Any, within_s: float = WITHIN_S) -> None:
    """Look until what is seen equals `wanted`; the failure shows the difference."""

    async def same() -> bool:
        seen = await _outcome(look)
        assert seen == wanted, f"{seen!r} is not {wanted!r}"
        return True

    await eventually(same, within_s)


async def _outcome(look: Callable[[], Any]) -> Any:
    seen = look()
    return await seen if inspect.isawaitable(seen) else seen


class FixedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Answer:
    """A reply: the status as in HTTP (200 unless the headers say otherwise), the JSON body, the headers."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def fields(self) -> list[str]:
        """The fields that a problem finds fault with."""
        return [error["field"] for error in self.body.get("errors", ())]


async def ask(
    connection: Client,
    subject: str,
    body: Mapping[str, Any] | bytes = b"{}",
    headers: Mapping[str, str] | None = None,
    within_s: float = WITHIN_S,
) -> Answer:
    """Ask and take the reply as it is, a result or a problem.

    Raises: NoRespondersError when nobody serves the subject, AssertionError when nobody answers.
    """
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    try:
        reply = await connection.request(subject, data, within_s, headers=dict(headers) if headers else None)
    except NatsTimeoutError:
        raise AssertionError(f"silence: {subject} was not answered within {within_s:g} s") from None
    said = reply.headers or {}
    return Answer(int(said.get("Nats-Service-Error-Code", 200)), json.loads(reply.data), said)


@dataclass(frozen=True)
class Kept:
    """A message as a stream keeps it."""

    seq: int
    subject: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


async def kept(connection: Client, stream: str, subject: str = ">") -> list[Kept]:
    """Everything a stream keeps on a subject (wildcards allowed), in its order."""
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE, filter_subject=subject, inactive_threshold=30
    )
    jetstream = connection.jetstream()
    waiting = (made := await jetstream.add_consumer(stream, config)).num_pending or 0
    reader = await jetstream.pull_subscribe_bind(made.name, stream)
    found: list[Kept] = []
    while waiting > len(found):
        found += [_as_kept(msg) for msg in await reader.fetch(min(1000, waiting - len(found)), timeout=10)]
    await reader.unsubscribe()
    await jetstream.delete_consumer(stream, made.name)
    return found


def _as_kept(msg: Msg) -> Kept:
    return Kept(msg.metadata.sequence.stream, msg.subject, msg.headers or {}, msg.data)


@asynccontextmanager
async def hearing(connection: Client, subject: str) -> AsyncIterator[list[Msg]]:
    """The messages that come in on a core subject, from now on until the block ends."""
    heard: list[Msg] = []

    async def take(msg: Msg) -> None:
        heard.append(msg)

    subscription = await connection.subscribe(subject, cb=take)
    await connection.flush()
    try:
        yield heard
    finally:
        with contextlib.suppress(Exception):  # the connection may be closed by now
            await subscription.unsubscribe()


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[Service]:
    """A service at work inside the test's own process, without its HTTP door."""
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:  # in a task of its own: start and stop have to happen in the same one
        async with service.app.start_lifespan_context():
            started.set()
            await stop.wait()

    life = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait((life, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        if life.done():
            life.result()
        yield service
    finally:
        stop.set()
        await life


@asynccontextmanager
async def relay_held(postgres_url: str, service: str) -> AsyncIterator[asyncpg.Connection]:
    """Nothing of a service's outbox is published inside the block: the test holds the lock that its relay needs.

    Gives the connection that holds it; closing that lets the relay go on earlier.
    """
    lock = zlib.crc32(channel(service).encode())
    holder = await asyncpg.connect(postgres_url)
    other = await asyncpg.connect(postgres_url)
    try:
        taking = asyncio.ensure_future(holder.fetchval("SELECT pg_advisory_lock($1)", lock))
        # Whoever holds it now loses its connection; then the lock goes to who is waiting in line, which is us.
        while not taking.done():
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1"
                " AND pid <> $2",
                lock,
                holder.get_server_pid(),
            )
            await asyncio.wait((taking,), timeout=0.05)
        await taking
        yield holder
    finally:
        for connection in (holder, other):
            with contextlib.suppress(OSError, asyncpg.InterfaceError, asyncpg.PostgresError):
                await connection.close(timeout=5)


def page(url: str) -> str | None:
    """An HTTP page of a service; None while it does not answer with 200. Blocks: call it in a thread."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def metric(page: str, name: str, **labels: str) -> float:
    """The value of a series on a `/metrics` page; 0 while it is not there yet."""
    lines = (
        "\n".join(line for line in page.splitlines() if line.startswith(name)) + "\n"
    )  # the whole page is slow to parse
    return sum(
        sample.value
        for family in text_string_to_metric_families(lines)
        for sample in family.samples
        if sample.name == name and all(sample.labels.get(label) == value for label, value in labels.items())
    )
