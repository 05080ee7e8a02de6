"""Never two live tasks of one unit, however many incidents are opened, answered and closed at the same instant."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from shouwang.common.testing import Kept, becomes, kept

from .town import Town

LIVE = {"offered", "accepted", "arrived"}
Reply = dict[str, Any]


async def one_goes_on(town: Town, offer: Reply, incident: str, rng: random.Random) -> None:
    """Somebody does something with an offer, sensible or not."""
    acts: dict[str, list[Callable[[], Awaitable[Any]]]] = {
        "completes": [lambda s=s: town.respond(offer, s) for s in ("accept", "arrive", "complete")],
        "declines": [lambda: town.respond(offer, "decline")],
        "accepts, then declines": [lambda: town.respond(offer, "accept"), lambda: town.respond(offer, "decline")],
        "is taken back": [lambda: town.ask("dispatch.cancel_task", {"task": offer["task"]})],
        "is closed": [lambda: town.ask("dispatch.close_incident", {"incident": incident})],
        "says nothing": [],
    }
    for act in acts[rng.choice(list(acts))]:
        assert (await act()).status in (200, 409)  # 409: another was faster, in the same round


async def play(town: Town, rounds: int, at_once: int, rng: random.Random) -> list[Reply]:
    """Rounds of incidents opened together, while those of the round before are answered and closed."""
    opened: list[Reply] = []
    before: list[Reply] = []
    closed = 0
    for _ in range(rounds):
        work: list[Awaitable[Any]] = [town.open(needed=rng.choice((1, 1, 2))) for _ in range(at_once)]
        work += [one_goes_on(town, offer, said["incident"], rng) for said in before for offer in said["tasks"]]
        before = (await asyncio.gather(*work))[:at_once]
        opened += before
        if rng.random() < 0.6:
            await close(town, opened[closed:])
            closed = len(opened)
    await close(town, opened[closed:])
    return opened


async def close(town: Town, opened: list[Reply]) -> None:
    """All at once."""
    await asyncio.gather(*(town.ask("dispatch.close_incident", {"incident": one["incident"]}) for one in opened))


def live_at_once(facts: list[Kept]) -> int:
    """The most tasks that were live at the same time, as one unit's facts tell it in their order."""
    live: set[str] = set()
    most = 0
    for fact in facts:
        step = fact.subject.split(".")[2]
        (live.add if step in LIVE else live.discard)(fact.json["task"])
        most = max(most, len(live))
    return most


@pytest.mark.parametrize(("at_once", "units", "rounds"), [(2, 1, 100), (2, 2, 60), (5, 1, 30), (5, 2, 30)])
async def test_no_unit_ever_has_two_live_tasks_and_no_incident_is_forgotten(
    found_town: Callable[[], Town], db: asyncpg.Pool, at_once: int, units: int, rounds: int
) -> None:
    rng = random.Random(1000 * at_once + units)
    towns = [found_town() for _ in range(5)]
    for town in towns:
        await town.patrol(**{f"u{n}": 100.0 * n for n in range(1, units + 1)})
    played = await asyncio.gather(*(play(town, rounds // len(towns), at_once, rng) for town in towns))
    await becomes(lambda: db.fetchval("SELECT count(*) FROM dispatch.outbox WHERE published_at IS NULL"), 0)
    for town in towns:
        for n in range(1, units + 1):
            facts = await kept(town.connection, "DISPATCH", f"dispatch.task.*.v1.{town.unit(f'u{n}')}.*")
            assert live_at_once(facts) == 1
            await told_as_in_the_database(db, town.unit(f"u{n}"), facts)
    declared = await kept(towns[0].connection, "DISPATCH", "dispatch.shortfall.declared.v1.*")
    await nobody_is_forgotten(db, [said for opened in played for said in opened], declared)


async def told_as_in_the_database(db: asyncpg.Pool, unit: str, facts: list[Kept]) -> None:
    """The last fact of each task is what the database holds of it."""
    rows = await db.fetch("SELECT id::text, status FROM dispatch.tasks WHERE unit = $1", unit)
    assert {fact.json["task"]: fact.subject.split(".")[2] for fact in facts} == {r["id"]: r["status"] for r in rows}


async def nobody_is_forgotten(db: asyncpg.Pool, opened: list[Reply], declared: list[Kept]) -> None:
    """An incident had the hands that it needed, or said at once how many were missing."""
    missing: dict[str, int] = {}
    for fact in declared:
        missing.setdefault(fact.json["incident"], fact.json["missing"])
    query = "SELECT id::text, needed FROM dispatch.incidents WHERE id = ANY($1::uuid[])"
    needed = {row["id"]: row["needed"] for row in await db.fetch(query, [said["incident"] for said in opened])}
    for said in opened:
        assert len(said["tasks"]) + said["shortfall"] == needed[said["incident"]]
        assert len({offer["unit"] for offer in said["tasks"]}) == len(said["tasks"])
        assert not said["shortfall"] or missing[said["incident"]] == said["shortfall"]
