"""Makes the broker's streams and the database's schemas what the code says they are. Both can be run any time again."""

import asyncio
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from shouwang.common.broker import servers
from shouwang.common.migrations import migrate
from shouwang.contracts.streams import STREAMS

Say = Callable[[str], None]
SERVICES = ("location", "dispatch", "training")
"""Every service of the suite, in the order in which they start."""

STREAM_NAME_IN_USE = 10058


async def provision(nats_url: str, say: Say) -> None:
    """Create or update every stream of `contracts.streams`.

    Raises: RuntimeError when the broker refuses one; its words say why.
    """
    broker = await nats.connect(servers(nats_url), name="shouwang-provision", max_reconnect_attempts=3)
    try:
        for name, wanted in STREAMS.items():
            answer = await _ask(broker, f"STREAM.CREATE.{name}", wanted)
            verb = "created"
            if (answer.get("error") or {}).get("err_code") == STREAM_NAME_IN_USE:
                answer, verb = await _ask(broker, f"STREAM.UPDATE.{name}", wanted), "updated"
            if "error" in answer:
                raise RuntimeError(f"stream {name}: {answer['error']['description']}")
            say(f"stream {name} {verb}: {', '.join(wanted['subjects'])}")
    finally:
        await broker.close()


async def _ask(broker: Client, call: str, body: dict[str, Any]) -> dict[str, Any]:
    """The JetStream API itself: the client library has no field for settings such as `persist_mode` yet."""
    reply = await broker.request(f"$JS.API.{call}", json.dumps(body).encode(), timeout=10)
    answer: dict[str, Any] = json.loads(reply.data)
    return answer


def versions(service: str) -> Path:
    """The folder with the migration steps of a service."""
    return Path(str(files(f"shouwang.{service}") / "migrations" / "versions"))


async def migrate_all(postgres_url: str, say: Say) -> None:
    """Bring the schema of every service to its newest version."""
    for service in SERVICES:
        # In a thread of its own loop: Alembic's environment is global to a thread.
        before, after = await asyncio.to_thread(_migrate, postgres_url, service)
        say(f"schema {service}: {before or 'new'} -> {after}" if before != after else f"schema {service}: at {after}")


def _migrate(postgres_url: str, service: str) -> tuple[str | None, str | None]:
    return asyncio.run(migrate(postgres_url, service, versions(service)))
