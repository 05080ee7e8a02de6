"""The migrations make the tables that the code believes in, and may be run any number of times."""

import asyncio
from importlib import import_module
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from shouwang.common.migrations import migrate
from shouwang.common.tables import plumbing
from shouwang.stack.provision import SERVICES, versions

from ..conftest import Servers

OF_TABLES = {"add_table", "remove_table", "add_column", "remove_column", "modify_type", "modify_nullable"}


def differences(connection: Connection, metadata: list[MetaData]) -> list[Any]:
    """What stands in the code and not in the database, or the other way round; indexes are the migrations' own."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    found = [
        one for many in compare_metadata(context, metadata) for one in (many if isinstance(many, list) else [many])
    ]
    return [one for one in found if one[0] in OF_TABLES and getattr(one[1], "name", "") != "alembic_version"]


@pytest.mark.parametrize("service", SERVICES)
async def test_tables_are_as_the_code_declares_them(servers: Servers, service: str) -> None:
    url = make_url(servers.postgres_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, connect_args={"server_settings": {"search_path": service}})
    declared = [plumbing, import_module(f"shouwang.{service}.tables").metadata]
    async with engine.connect() as connection:
        assert await connection.run_sync(differences, declared) == []
    await engine.dispose()


@pytest.mark.parametrize("service", SERVICES)
async def test_migrating_again_and_twice_at_once_changes_nothing(servers: Servers, service: str) -> None:
    def again() -> tuple[str | None, str | None]:
        return asyncio.run(migrate(servers.postgres_url, service, versions(service)))

    both = await asyncio.gather(asyncio.to_thread(again), asyncio.to_thread(again))
    assert both[0] == both[1]
    assert both[0][0] == both[0][1] is not None
