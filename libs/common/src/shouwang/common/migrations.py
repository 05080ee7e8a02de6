"""Migrations of one service, run by Alembic in the service's own schema.

A service keeps its steps in `migrations/versions/` and nothing else: the environment is the same for all and is here.
"""

import zlib
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine


async def migrate(url: str, service: str, versions: Path) -> tuple[str | None, str | None]:
    """Bring the schema of a service to its newest version.

    Two migrators at once do the work once: the second waits for the first (advisory lock). Returns the versions
    before and after.
    """
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"), connect_args={"server_settings": {"search_path": service}}
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:key)"), {"key": zlib.crc32(f"migrate {service}".encode())}
            )
            await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}"'))
            return await connection.run_sync(_upgrade, service, versions)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, service: str, versions: Path) -> tuple[str | None, str | None]:
    config = Config()
    scripts = ScriptDirectory(str(versions.parent), version_locations=[str(versions)])

    def steps(revision: str, context: MigrationContext) -> list[object]:
        return list(scripts._upgrade_revs("head", revision))

    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table_schema=service)
        before = environment.get_context().get_current_revision()
        with environment.begin_transaction():
            environment.run_migrations()
    return before, scripts.get_current_head()
