"""A small service that shows what the plumbing does: it counts, says so, and fails when a test tells it to."""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Annotated, ClassVar

from faststream import Context
from pydantic import BaseModel
from sqlalchemy import text

from shouwang.common.broker import heard
from shouwang.common.database import Transaction
from shouwang.common.doors import Tx, View, commands, listeners, lookups
from shouwang.common.migrations import migrate
from shouwang.common.service import Service
from shouwang.common.settings import ServiceSettings
from shouwang.contracts.streams import STREAMS

STREAM = {**STREAMS["DISPATCH"], "name": "PROBE", "subjects": ["probe.>"]}
CONSUMER = "probe-poked"


class Poked(BaseModel):
    """A fact of somebody else's that the probe hears."""

    thing: str


class Counted(BaseModel):
    """A fact that the probe tells. Its name shows that headers hold more than ASCII."""

    contract: ClassVar[str] = "probe.counted.v1.数到 100%"
    thing: str
    n: int

    def subject(self) -> str:
        return f"probe.counted.v1.{self.thing}"

    def key(self) -> str:
        return self.thing


class Count(BaseModel):
    """A request: count on."""

    thing: str
    note: str = ""


class CountReply(BaseModel):
    """How far it has been counted."""

    n: int


class Behaviour:
    """What a test wants to go wrong: the next errors to raise for a thing, one a call; and how often it was called."""

    def __init__(self) -> None:
        self.errors: defaultdict[str, list[Exception]] = defaultdict(list)
        self.calls: defaultdict[str, int] = defaultdict(int)

    def go(self, thing: str) -> None:
        """Called when everything is written and said, just before the handler returns."""
        self.calls[thing] += 1
        if self.errors[thing]:
            raise self.errors[thing].pop(0)


async def count_on(tx: Transaction, thing: str) -> int:
    """One more, said as a fact; whoever counts the same thing at the same time waits."""
    await tx.execute(text("SELECT pg_advisory_xact_lock(hashtext(:thing))"), {"thing": thing})
    added = text("INSERT INTO effects SELECT :thing, count(*) + 1 FROM effects WHERE thing = :thing RETURNING n")
    n: int = (await tx.execute(added, {"thing": thing})).scalar_one()
    tx.tell(Counted(thing=thing, n=n))
    return n


def assemble(settings: ServiceSettings, behaviour: Behaviour) -> Service:
    """The probe, as a service's `main.py` would make it."""
    service = Service("probe", settings, "Shows what the plumbing does.")
    requests, facts, views = commands(), listeners(), lookups()

    @facts.subscriber("probe.poked.v1.{thing}", **heard("PROBE", CONSUMER))
    async def poked(fact: Poked, tx: Tx, behaviour: Annotated[Behaviour, Context()]) -> None:
        await count_on(tx, fact.thing)
        behaviour.go(fact.thing)

    @requests.subscriber("request.{principal}.probe.count.v1", "probe", max_workers=16)
    async def count(ask: Count, tx: Tx, behaviour: Annotated[Behaviour, Context()]) -> CountReply:
        n = await count_on(tx, ask.thing)
        behaviour.go(ask.thing)
        return CountReply(n=n)

    @views.subscriber("request.{principal}.probe.write_in_a_view.v1", "probe")
    async def write_in_a_view(ask: Count, view: View) -> CountReply:
        await view.execute(text("INSERT INTO effects VALUES (:thing, 0)"), {"thing": ask.thing})
        return CountReply(n=0)

    service.provide(behaviour=behaviour)
    service.include(requests, facts, views)
    return service


async def make_schema(postgres_url: str) -> None:
    """Migrate the probe's schema, in a thread, since Alembic's environment is global to one."""
    versions = Path(__file__).parent / "migrations" / "versions"
    await asyncio.to_thread(asyncio.run, migrate(postgres_url, "probe", versions))
