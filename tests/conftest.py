"""What tests of every kind share: one real broker and one real database for the session."""

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import asyncpg
import docker
import nats
import pytest
from docker.errors import DockerException
from nats.aio.client import Client

from shouwang.stack.provision import migrate_all, provision
from shouwang.stack.servers import NatsServer, PostgresServer
from shouwang.stack.servers.nats import CONFIG


@dataclass(frozen=True)
class Servers:
    """Where the session's broker and database are: streams made, schemas migrated."""

    nats_url: str
    postgres_url: str


@pytest.fixture(scope="session")
def bare_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """From testcontainers where a Docker engine answers, else from the wheels."""
    if _docker_answers():
        yield from _from_containers()
    else:
        folder = tmp_path_factory.mktemp("servers")
        with NatsServer(folder / "nats") as broker, PostgresServer(folder / "postgres") as database:
            yield Servers(broker.url, database.url)


@pytest.fixture(scope="session")
async def servers(bare_servers: Servers) -> Servers:
    """Provisioned and migrated."""
    await provision(bare_servers.nats_url, _quiet)
    await migrate_all(bare_servers.postgres_url, _quiet)
    return bare_servers


@pytest.fixture(scope="session")
async def broker(servers: Servers) -> AsyncIterator[Client]:
    """The test's own connection to the session's broker."""
    connection = await nats.connect(servers.nats_url, name="test")
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def db(servers: Servers) -> AsyncIterator[asyncpg.Pool]:
    """The test's own look into the session's database."""
    async with asyncpg.create_pool(servers.postgres_url, min_size=1, max_size=4) as pool:
        yield pool


def _docker_answers() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # refused, the client leaves its socket to the collector
        try:
            return bool(docker.from_env(timeout=3).ping())
        except (DockerException, OSError):
            return False
        finally:
            gc.collect()


def _from_containers() -> Iterator[Servers]:
    """Not run where this was written, for want of an engine: kept as small as can be."""
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    ports = {"PORT": 4222, "MONITOR_PORT": 8222, "WS_PORT": 9222, "MQTT_PORT": 1883}
    broker = (
        DockerContainer("nats:2.12-alpine", command="--config /nats.conf")
        .with_volume_mapping(str(CONFIG), "/nats.conf", "ro")
        .with_envs(SHOUWANG_NATS_NAME="test", SHOUWANG_NATS_HOST="0.0.0.0", SHOUWANG_NATS_STORE="/data")
        .with_envs(**{f"SHOUWANG_NATS_{name}": str(port) for name, port in ports.items()})
        .with_exposed_ports(4222)
        .waiting_for(LogMessageWaitStrategy("Server is ready"))
    )
    database = (
        DockerContainer("postgres:18-alpine", command="-c max_connections=200")
        .with_envs(POSTGRES_DB="shouwang", POSTGRES_HOST_AUTH_METHOD="trust")
        .with_exposed_ports(5432)
        .waiting_for(LogMessageWaitStrategy("ready to accept connections", times=2))
    )
    with broker, database:
        yield Servers(
            f"nats://{broker.get_container_host_ip()}:{broker.get_exposed_port(4222)}",
            f"postgresql://postgres@{database.get_container_host_ip()}:{database.get_exposed_port(5432)}/shouwang",
        )


def _quiet(_: str) -> None:
    """The tests say enough themselves."""
