"""The relay: publishes what was committed, in the order of each key, until the stream has acknowledged it.

One relay a service is at work at a time, held by a PostgreSQL advisory lock; a second replica's relay stands by. NOTIFY
wakes it at the commit, whichever replica committed; a look each second finds what a crash left behind.
"""

import asyncio
import json
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
from nats.aio.client import Client
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.engine import URL

from shouwang.common.tables import channel
from shouwang.common.telemetry import log

BATCH = 256
LOOK_S = 1.0
ACK_S = 5.0
FORGET_EVERY_S = 3600.0

WAITING = """SELECT seq, key, subject, headers, body, kept, extract(epoch FROM now() - created_at) AS age_s
             FROM outbox WHERE published_at IS NULL ORDER BY seq LIMIT $1"""
PUBLISHED = "UPDATE outbox SET published_at = now() WHERE seq = ANY($1::bigint[])"
FORGET = """WITH o AS (DELETE FROM outbox WHERE published_at < now() - $1 * interval '1 day'),
                 i AS (DELETE FROM inbox WHERE received_at < now() - $1 * interval '1 day')
            DELETE FROM answers WHERE answered_at < now() - $1 * interval '1 day'"""


class Relay:
    """Publishes the outbox of one service.

    Args:
        url: the database, as in `Database`.
        service: whose schema.
        broker: the NATS connection to publish on.
    """

    def __init__(self, url: URL, service: str, broker: Client, registry: CollectorRegistry, keep_days: int = 7) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._service = service
        self._broker = broker
        self._keep_days = keep_days
        self._wake = asyncio.Event()
        self._finishing = False
        self._oldest = Gauge(
            "outbox_oldest_seconds", "Age of the oldest fact that is not published yet", registry=registry
        )

    async def run(self) -> None:
        """Publish until `finish()`; whatever fails (database, broker) is tried again."""
        while not self._finishing:
            try:
                await self._lead()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("the relay lost its database; trying again", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(LOOK_S)

    def finish(self) -> None:
        """Let `run()` end as soon as nothing is waiting."""
        self._finishing = True
        self._wake.set()

    async def _lead(self) -> None:
        connection = await asyncpg.connect(self._dsn, server_settings={"search_path": self._service})
        try:
            lock = zlib.crc32(channel(self._service).encode())
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock):
                if self._finishing:
                    return
                await asyncio.sleep(LOOK_S)
            await connection.add_listener(channel(self._service), lambda *_: self._wake.set())
            await self._work(connection)
        finally:
            await connection.close(timeout=2)

    async def _work(self, connection: Any) -> None:
        now = asyncio.get_running_loop().time
        forget_at = now()
        while True:
            self._wake.clear()  # before looking: a commit from here on wakes us again
            rows = await connection.fetch(WAITING, BATCH)
            self._oldest.set(float(rows[0]["age_s"]) if rows else 0.0)
            sent = await self._publish(rows)
            if sent:
                await connection.execute(PUBLISHED, sent)
            if self._finishing and not rows:
                return
            if not rows and now() >= forget_at:
                await connection.execute(FORGET, float(self._keep_days))
                forget_at = now() + FORGET_EVERY_S
            if len(sent) < len(rows):
                await asyncio.sleep(LOOK_S)  # the broker is away or refuses: the rest keeps its order and waits
            elif not rows:
                await self._idle()

    async def _idle(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), LOOK_S)
        except TimeoutError:
            return

    async def _publish(self, rows: Sequence[Any]) -> list[int]:
        """Publish side by side what has different keys, one after the other what has the same; what got through."""
        by_key = defaultdict(list)
        for row in rows:
            by_key[row["key"]].append(row)
        return [seq for sent in await asyncio.gather(*map(self._in_order, by_key.values())) for seq in sent]

    async def _in_order(self, rows: Sequence[Any]) -> list[int]:
        sent: list[int] = []
        for row in rows:
            if not self._broker.is_connected:
                break
            headers = json.loads(row["headers"])
            try:
                if row["kept"]:
                    await self._broker.jetstream().publish(row["subject"], row["body"], timeout=ACK_S, headers=headers)
                else:
                    await self._broker.publish(row["subject"], row["body"], headers=headers)
            except Exception as error:  # noqa: BLE001 - any failure means: not published yet, so it stays and is tried again
                log.warning("not published yet", subject=row["subject"], error=f"{type(error).__name__}: {error}")
                break
            sent.append(row["seq"])
        return sent
