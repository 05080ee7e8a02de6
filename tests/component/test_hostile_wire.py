"""One malformed message does not make a service deaf, though the broker passes on what its client cannot read."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from shouwang.common.testing import ask
from shouwang.stack.suite import Suite

from .town import Town
from .trouble import back, end


def with_headers(subject: bytes, headers: bytes, body: bytes = b"{}") -> bytes:
    """A message with these bytes where its headers belong."""
    return b"HPUB %s %d %d\r\n%s%s\r\n" % (subject, len(headers), len(headers) + len(body), headers, body)


MALFORMED = [
    b"PUB report.\xff\xfe 2\r\n{}\r\n",
    b"PUB request.\xff.location.nearby.v1 _INBOX.x 2\r\n{}\r\n",
    b"PUB request.\xff.dispatch.tasks.v1 _INBOX.x 2\r\n{}\r\n",
    b"PUB request.wang.location.nearby.v1 _INBOX.\xff 2\r\n{}\r\n",
    b"PUB request.wang.dispatch.tasks.v1 _INBOX.\xff 2\r\n{}\r\n",
    with_headers(b"report.wang", b"NATS/1.0"),
    with_headers(b"report.wang", b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
    with_headers(b"report.wang", b"NATS/1.0 503 \xff\xff\r\n\r\n"),
    with_headers(b"report.wang", b"NATS/1.0\r\n\xff: \xfe\r\n\r\n"),
    with_headers(b"request.wang.dispatch.tasks.v1", b"NATS/1.0"),
    with_headers(b"request.wang.dispatch.tasks.v1", b"NATS/1.0\r\nIdempotency-Key: \xff\xfe\r\n\r\n"),
    with_headers(b"request.wang.dispatch.tasks.v1", b"NATS/1.0\r\n: nameless\r\nno colon\r\n\r\n"),
]


async def publish_raw(port: int, messages: list[bytes]) -> None:
    """As a program does that speaks the protocol itself; the broker passes all of it on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    writer.write(b'CONNECT {"verbose":false,"headers":true}\r\n' + b"".join(messages) + b"PING\r\n")
    assert await reader.readline() == b"PONG\r\n"
    writer.close()
    await writer.wait_closed()


@pytest.fixture
async def afterwards_well(suite: Suite, wire: Client) -> AsyncIterator[None]:
    """Whatever the test does to them, the next test finds services that hear."""
    yield
    await wire.jetstream().purge_stream("REPORTS")  # or each start of location waits for what its client cannot read
    try:
        await both_answer(wire)
    except (AssertionError, NoRespondersError):
        for name in ("location", "dispatch"):
            if suite.supervisor.pid(name):
                await end(suite, name, signal.SIGKILL)
            await back(suite, name)


async def both_answer(wire: Client) -> None:
    """A good request to each."""
    near = await ask(wire, "request.wang.location.nearby.v1", {"lat": 1, "lon": 1, "k": 1}, within_s=5)
    tasks = await ask(wire, "request.wang.dispatch.tasks.v1", {}, within_s=5)
    assert (near.status, tasks.status) == (200, 200)


@pytest.mark.usefixtures("afterwards_well")
async def test_malformed_messages_do_not_make_a_service_deaf(suite: Suite, wire: Client, troubled_town: Town) -> None:
    await publish_raw(suite.nats.port, MALFORMED)
    await both_answer(wire)
    await troubled_town.report("a", 0)


@pytest.mark.usefixtures("afterwards_well")
async def test_malformed_reports_that_the_stream_kept_do_not_keep_location_from_starting(
    suite: Suite, wire: Client, troubled_town: Town
) -> None:
    await end(suite, "location", signal.SIGKILL)
    await publish_raw(suite.nats.port, [message for message in MALFORMED if b" report." in message])
    await back(suite, "location", within_s=20)
    await both_answer(wire)
    await troubled_town.report("a", 0)
