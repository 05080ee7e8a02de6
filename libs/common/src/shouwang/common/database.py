"""PostgreSQL: one schema a service, and one place that commits.

`Database.transaction()` is the only commit in the house. Rows and the facts about them are written in the same
transaction; PostgreSQL itself wakes the relay at the commit (a trigger), so a fact is never told before it is true.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from opentelemetry import propagate
from pydantic import BaseModel
from sqlalchemy import CursorResult, Executable, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shouwang.common.clock import Clock, utc_now
from shouwang.common.envelope import FactLike, headers_of
from shouwang.common.ids import new_id
from shouwang.common.tables import outbox
from shouwang.common.telemetry import log

DEADLOCK, SERIALIZATION = "40P01", "40001"
TRIES = 4
"""How often a transaction is tried that lost a race in the database."""

T = TypeVar("T")


class Reading:
    """A connection to read with. It cannot write: its transaction is READ ONLY."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """Run one statement."""
        return await self._connection.execute(statement, parameters)


class Transaction(Reading):
    """One unit of work: rows are written through it, and facts and deliveries are said through it."""

    def __init__(self, connection: AsyncConnection, source: str, clock: Clock) -> None:
        super().__init__(connection)
        self._source = source
        self._clock = clock
        self._told: list[dict[str, Any]] = []
        self._afterwards: list[Callable[[], Awaitable[object]]] = []

    def tell(self, fact: FactLike) -> None:
        """Say a fact; it is published after the commit, in the order of its key, at least once."""
        fact_id = new_id()
        headers = headers_of(fact, fact_id=fact_id, source=self._source, at=self._clock())
        self._add(fact_id, fact.key(), fact.subject(), headers, fact.model_dump_json(), kept=True)

    def deliver(self, key: str, subject: str, message: BaseModel) -> None:
        """Send a message to one subject on core NATS after the commit; nobody keeps it for who is not there."""
        self._add(new_id(), key, subject, {}, message.model_dump_json(), kept=False)

    def afterwards(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do something once this is committed, such as taking a file away that was read into it.

        It is done once at most: a crash in between leaves it undone, so something else must tidy up in the end.
        """
        self._afterwards.append(work)

    async def do_afterwards(self) -> None:
        """Called by `Database.transaction()` as the first thing after its commit."""
        for work in self._afterwards:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - what was committed stands, whatever comes after it
                log.warning("could not be done after the commit", error=f"{type(error).__name__}: {error}")

    def _add(self, row_id: str, key: str, subject: str, headers: dict[str, str], body: str, *, kept: bool) -> None:
        propagate.inject(headers)  # the relay publishes later, in nobody's trace: the trace goes along in the row
        row = {"id": row_id, "key": key, "subject": subject, "headers": headers, "body": body.encode(), "kept": kept}
        self._told.append(row)

    async def write_outbox(self) -> None:
        """Called by `Database.transaction()` as the last thing before its commit."""
        if self._told:
            await self._connection.execute(insert(outbox), self._told)


class Database:
    """The database of one service.

    Args:
        url: `postgresql://user@host:port/database`.
        service: its name is also the schema that its tables live in.
    """

    def __init__(self, url: str, service: str, clock: Clock = utc_now, pool: int = 20) -> None:
        self.url = make_url(url)
        self.service = service
        self._clock = clock
        self._engine = create_async_engine(
            self.url.set(drivername="postgresql+asyncpg"),
            connect_args={"server_settings": {"search_path": service, "application_name": f"shouwang-{service}"}},
            pool_size=pool,
            max_overflow=0,
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One unit of work, committed at the end of the block, rolled back if the block raises."""
        async with self._engine.connect() as connection, connection.begin():
            unit = Transaction(connection, self.service, self._clock)
            yield unit
            await unit.write_outbox()
        await unit.do_afterwards()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        """A connection for questions; writing through it fails."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SET TRANSACTION READ ONLY"))
            yield Reading(connection)

    async def run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Do `work` in a transaction, again from the start if it lost a race (deadlock, serialization)."""
        for left in range(TRIES - 1, -1, -1):
            try:
                async with self.transaction() as tx:
                    return await work(tx)
            except DBAPIError as error:
                if not (left and lost_race(error)):
                    raise
        raise AssertionError("unreachable")

    async def ping(self) -> bool:
        """True when the database answers."""
        try:
            async with self._engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (OSError, DBAPIError):
            return False
        return True

    async def dispose(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def lost_race(error: BaseException) -> bool:
    """True for a deadlock or a serialization failure: the same transaction, tried again, can succeed."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in {DEADLOCK, SERIALIZATION}


def is_away(error: BaseException) -> bool:
    """True when the database could not be reached or broke off: nothing is wrong with what was asked of it."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, OSError)
