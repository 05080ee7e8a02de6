"""The builder of a service: what each has alike, so that its own `main.py` only says what is particular.

Order of a start: database and state, broker, subscribers, background work. Order of a stop: no new messages, work in
hand ends, the outbox is published, the connection is drained.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.nats import NatsBroker, NatsRouter
from faststream.specification import AsyncAPI
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, make_asgi_app

from shouwang.common.broker import make_broker
from shouwang.common.database import Database
from shouwang.common.outbox import Relay
from shouwang.common.settings import ServiceSettings
from shouwang.common.telemetry import log, set_up_logs, tracer_provider

Hook = Callable[[], Awaitable[None]]
Work = Callable[[Client], Awaitable[None]]


class Service:
    """One service, assembled.

    Args:
        name: names its schema, its queue group and its facts.
        version: shown in its documentation.
    """

    def __init__(self, name: str, settings: ServiceSettings, description: str, version: str = "0.1.0") -> None:
        self.name, self.settings = name, settings
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.database = Database(settings.postgres_url, name)
        traces = tracer_provider(name, settings.otlp_endpoint)
        self.broker: NatsBroker = make_broker(name, settings, self.registry, traces)
        self._before: list[Work] = []
        self._after: list[Hook] = []
        self._work: list[tuple[str, Work]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._relay: Relay | None = None
        self.app = AsgiFastStream(
            self.broker,
            logger=logging.getLogger("shouwang"),
            specification=AsyncAPI(title=f"shouwang-{name}", version=version, description=description),
            asyncapi_path="/docs",
            asgi_routes=[
                ("/livez", _alive),
                ("/readyz", get(self._readyz)),
                ("/metrics", make_asgi_app(self.registry)),
            ],
            on_startup=[self._prepare],
            after_startup=[self._begin],
            on_shutdown=[self._finish],
            after_shutdown=[self.database.dispose],
        )
        self.provide(database=self.database, settings=settings, broker=self.broker)

    def provide(self, **collaborators: Any) -> None:
        """Give handlers a collaborator by name (`Annotated[T, Given("name")]`)."""
        for name, collaborator in collaborators.items():
            self.broker.context.set_global(name, collaborator)

    def include(self, *routers: NatsRouter) -> None:
        """Open the doors of these routers."""
        self.broker.include_routers(*routers)

    def before_messages(self, hook: Work) -> None:
        """Run once, connected, before any message is taken: to bring state back."""
        self._before.append(hook)

    def before_stop(self, hook: Hook) -> None:
        """Run once, when no more messages are taken: to keep state."""
        self._after.append(hook)

    def in_background(self, name: str, work: Work) -> None:
        """Run for as long as the service runs, with its NATS connection; started again, and said so, if it fails."""
        self._work.append((name, work))

    async def connection(self) -> Client:
        """The broker's own NATS connection."""
        return await self.broker.connect()

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        set_up_logs(self.name, self.settings.log_level)
        host, port = self.settings.http_host, self.settings.http_port
        uvicorn.run(self.app, host=host, port=port, log_config=None, access_log=False, lifespan="on")

    async def _prepare(self) -> None:
        connection = await self.connection()
        self._relay = Relay(self.database.url, self.name, connection, self.registry, keep_days=self.settings.keep_days)
        for hook in self._before:
            await hook(connection)

    async def _begin(self) -> None:
        assert self._relay is not None
        connection, relay = await self.connection(), self._relay
        self._tasks.append(asyncio.create_task(_keep_going("relay", relay.run), name="relay"))
        for name, work in self._work:
            self._tasks.append(asyncio.create_task(_keep_going(name, partial(work, connection)), name=name))
        log.info("serving", http=f"http://{self.settings.http_host}:{self.settings.http_port}")

    async def _finish(self) -> None:
        """No new messages; what is in hand ends; the outbox is published; then the broker may close."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.stop_s):
                await asyncio.gather(*map(_finished, self.broker.subscribers))
        for subscriber in self.broker.subscribers:
            await subscriber.stop()
        relay, *others = self._tasks
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for hook in self._after:
            try:
                await hook()
            except Exception as error:  # noqa: BLE001 - the outbox must be published all the same
                log.error("could not be kept at the stop", exc_info=error)
        assert self._relay is not None
        self._relay.finish()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(relay), self.settings.stop_s)
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)

    async def _readyz(self, scope: Any) -> AsgiResponse:
        connected = (await self.connection()).is_connected
        state = {"broker": connected, "database": await self.database.ping()}
        missing = [name for name, good in state.items() if not good]
        body = f"not ready: {', '.join(missing)}\n" if missing else "ready\n"
        return AsgiResponse(body.encode(), 503 if missing else 200, {"content-type": "text/plain"})


async def _finished(subscriber: Any) -> None:
    """Take no more requests, and wait until those that have come in are answered: a stop would drop them unread."""
    subscription = getattr(subscriber, "subscription", None)
    if not isinstance(subscription, Subscription):
        return  # a consumer of a stream: what it has not acknowledged is delivered again
    await subscription.drain()  # type: ignore[no-untyped-call]
    workers = getattr(subscriber, "max_workers", 0)
    while workers and _at_work(subscriber, workers):  # noqa: ASYNC110 - the framework has no event for it
        await asyncio.sleep(0.01)
    subscriber.subscription = None  # the framework's own stop would end it a second time


def _at_work(subscriber: Any, workers: int) -> bool:
    return bool(subscriber.receive_stream.statistics().current_buffer_used) or subscriber.limiter.value < workers


@get
async def _alive(scope: Any) -> AsgiResponse:
    """Answers as long as the event loop turns; asks nobody else."""
    return AsgiResponse(b"alive\n", 200, {"content-type": "text/plain"})


async def _keep_going(name: str, work: Hook) -> None:
    pause = 0.2
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - background work must outlive any single failure
            log.error("background work failed; starting it again", work=name, pause_s=pause, exc_info=error)
        else:
            return
        await asyncio.sleep(pause)
        lasted = asyncio.get_running_loop().time() - started
        pause = 0.2 if lasted > 30 else min(pause * 2, 10.0)
