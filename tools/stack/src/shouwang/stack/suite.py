"""The whole suite on one machine: broker, database and a process for each service, up together and down together."""

import asyncio
import json
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shouwang.stack.provision import SERVICES, migrate_all, provision
from shouwang.stack.servers import NatsServer, PostgresServer
from shouwang.stack.servers.ports import free_ports
from shouwang.stack.supervisor import Child, Patience, Supervisor

Say = Callable[[str], None]
READY_S = 60.0


class Suite:
    """`async with Suite(folder, say) as suite:` is a running suite, ready for messages.

    Args:
        data: everything is kept here: the broker's store, the database, logs, `stack.json`.
        only: these services, all if not given.
        env: further settings for the services, by environment variable.
        patience: how long a service that died waits to be started again.
    """

    def __init__(
        self,
        data: Path,
        say: Say,
        only: Sequence[str] = SERVICES,
        env: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        unknown = set(only) - set(SERVICES)
        if unknown:
            raise ValueError(f"no such service: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")
        self.data, self._say = data.resolve(), say
        self.nats = NatsServer(self.data / "nats")
        self.postgres = PostgresServer(self.data / "postgres")
        self._ports = dict(zip(only, free_ports(len(only)), strict=True))
        self._env = dict(env or {})
        children = [self._child(name) for name in only]
        self.supervisor = Supervisor(children, say, self.data / "logs", patience)
        self._up = AsyncExitStack()

    @property
    def stack(self) -> dict[str, Any]:
        """What `stack.json` holds: where everything is."""
        return {
            "nats": self.nats.url,
            "nats_ws": self.nats.ws_url,
            "mqtt": self.nats.mqtt_url,
            "http": None,  # the gateway's doors and its first account come with the gateway
            "postgres": self.postgres.url,
            "metrics": {name: f"http://127.0.0.1:{port}/metrics" for name, port in self._ports.items()},
            "admin": None,
        }

    async def __aenter__(self) -> Self:
        self.data.mkdir(parents=True, exist_ok=True)
        try:
            for server in (self.nats, self.postgres):
                await asyncio.to_thread(server.start)
                self._up.push_async_callback(asyncio.to_thread, server.stop)
            await provision(self.nats.url, self._say)
            await migrate_all(self.postgres.url, self._say)
            self._up.push_async_callback(self.supervisor.stop)
            await self.supervisor.start()
            await asyncio.gather(*(self.ready(name) for name in self._ports))
            (self.data / "stack.json").write_text(json.dumps(self.stack, indent=2) + "\n")
            self._up.callback((self.data / "stack.json").unlink, missing_ok=True)
        except BaseException:
            await self._up.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._up.aclose()

    async def ready(self, name: str, within_s: float = READY_S) -> None:
        """Wait until a service says that it is ready.

        Raises: TimeoutError with the place of its log.
        """
        url = f"http://127.0.0.1:{self._ports[name]}/readyz"
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        said = "no answer yet"
        while loop.time() < end:
            try:
                said = await asyncio.to_thread(page, url)
            except OSError as error:
                said = str(error)
            if said == "ready":
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"{name} is not ready after {within_s:.0f} s ({said}); see {self.data / 'logs' / name}.log")

    def _child(self, name: str) -> Child:
        env = {
            "SHOUWANG_NATS_URL": self.nats.url,
            "SHOUWANG_POSTGRES_URL": self.postgres.url,
            "SHOUWANG_HTTP_PORT": str(self._ports[name]),
            **self._env,
        }
        return Child(name, [sys.executable, "-m", f"shouwang.{name}.main"], env)


def page(url: str, timeout_s: float = 2.0) -> str:
    """A page of a service on this machine, never asked for through a proxy. Raises OSError if it is not there."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=timeout_s) as answer:
        return str(answer.read().decode().strip())
