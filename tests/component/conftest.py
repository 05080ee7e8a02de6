"""Services at work for the component tests, each as the process it is in real life."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from shouwang.common.service import Service
from shouwang.common.settings import ServiceSettings
from shouwang.common.testing import ask, eventually, page, running
from shouwang.stack.provision import SERVICES
from shouwang.stack.servers.ports import free_ports
from shouwang.stack.suite import Suite
from shouwang.stack.supervisor import Child, Patience, Supervisor

from ..conftest import Servers
from .probe import STREAM, Behaviour, assemble, make_schema
from .town import FeedEar, Town

SETTINGS = {
    "SHOUWANG_OFFER_S": "3600",  # an offer runs out when a test says so, never by itself
    "SHOUWANG_TICK_S": "0.1",
    "SHOUWANG_RETRY_SHORT_S": "0.2",
    "SHOUWANG_RETRY_S": "0.2",
    "SHOUWANG_LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Services:
    """The running services of the session."""

    supervisor: Supervisor
    http: dict[str, str]

    async def page(self, service: str, name: str) -> str | None:
        """A page of a service, `metrics` or `readyz`; None while it does not answer with 200."""
        return await asyncio.to_thread(page, f"{self.http[service]}/{name}")

    def pids(self) -> dict[str, int | None]:
        """Process ids: the same ones as long as nobody died."""
        return {name: self.supervisor.pid(name) for name in SERVICES}

    def log(self, name: str) -> Path:
        """Where a service writes."""
        return self.supervisor.log(name)


@pytest.fixture(scope="session")
async def services(
    servers: Servers, broker: Client, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Services]:
    """Every service, on the session's broker and database."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    children = [
        Child(
            name,
            [sys.executable, "-m", f"shouwang.{name}.main"],
            {
                "SHOUWANG_NATS_URL": servers.nats_url,
                "SHOUWANG_POSTGRES_URL": servers.postgres_url,
                "SHOUWANG_HTTP_PORT": str(ports[name]),
                **SETTINGS,
            },
        )
        for name in SERVICES
    ]
    async with Supervisor(children, print, tmp_path_factory.mktemp("logs")) as supervisor:
        running = Services(supervisor, {name: f"http://127.0.0.1:{port}" for name, port in ports.items()})
        for name in SERVICES:
            await eventually(lambda name=name: running.page(name, "readyz"), 60)
        yield running


@pytest.fixture(scope="session")
async def ear(broker: Client) -> FeedEar:
    """Who listens to the feed of the session's services."""
    listening = FeedEar()
    await listening.listen(broker)
    return listening


@pytest.fixture
def found_town(services: Services, broker: Client, ear: FeedEar) -> Callable[[], Town]:
    """Founds a town, for a test that needs several."""
    return lambda: Town(broker, ear)


@pytest.fixture
def town(found_town: Callable[[], Town]) -> Town:
    """A place of the test's own."""
    return found_town()


@pytest.fixture(scope="session")
def behaviour() -> Behaviour:
    """What is to go wrong in the probe."""
    return Behaviour()


@pytest.fixture(scope="session")
async def probe(servers: Servers, broker: Client, behaviour: Behaviour) -> AsyncIterator[Service]:
    """The probe at work in the test's own process."""
    await make_schema(servers.postgres_url)
    await broker.request("$JS.API.STREAM.CREATE.PROBE", json.dumps(STREAM).encode())
    settings = ServiceSettings(
        nats_url=servers.nats_url, postgres_url=servers.postgres_url, attempts=3, retry_s=0.1, stop_s=5
    )
    async with running(assemble(settings, behaviour)) as service:
        await eventually(lambda: _served(broker))
        yield service


async def _served(broker: Client) -> bool:
    try:
        await ask(broker, "request.tester.probe.count.v1", b"?")
    except NoRespondersError:
        return False
    return True


@pytest.fixture(scope="session")
async def suite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """A suite with servers of its own, for tests that stop and kill things. Each test leaves it running."""
    settings = {**SETTINGS, "SHOUWANG_ATTEMPTS": "4", "SHOUWANG_RETRY_S": "0.5", "SHOUWANG_RETRY_MAX_S": "1"}
    settings |= {"SHOUWANG_SAVE_S": "1", "SHOUWANG_SWEEP_S": "0.3", "SHOUWANG_SETTLE_S": "0.5"}
    patience = Patience(first_s=0.1, most_s=0.3)  # what is killed ten times need not wait longer
    async with Suite(tmp_path_factory.mktemp("suite"), print, env=settings, patience=patience) as made:
        yield made


@pytest.fixture(scope="session")
async def wire(suite: Suite) -> AsyncIterator[Client]:
    """The test's connection to the broker of the own suite; it outlives the broker."""
    connection = await nats.connect(
        suite.nats.url, max_reconnect_attempts=-1, reconnect_time_wait=0.1, error_cb=_passed_over
    )
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def suite_ear(wire: Client) -> FeedEar:
    """Who listens to the feed of the own suite."""
    listening = FeedEar()
    await listening.listen(wire)
    return listening


@pytest.fixture
def troubled_town(wire: Client, suite_ear: FeedEar) -> Town:
    """A place of the test's own in the own suite."""
    return Town(wire, suite_ear)


async def _passed_over(_: Exception) -> None:
    """The broker is stopped on purpose."""
