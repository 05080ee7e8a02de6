"""Kill -9, a broker or a database that goes: no fact is lost, none is told twice, no service needs a restart."""

import asyncio
import json
import signal
from collections import Counter
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError

from shouwang.common.clock import rfc3339, utc_now
from shouwang.common.testing import ask, becomes, eventually, hearing, kept, page, relay_held
from shouwang.stack.suite import Suite

from .town import Town, offered
from .trouble import back, end, fetchval, pids, unpublished

CONSUMER = "dispatch-presence"
FLOCK = {f"u{n}": 100.0 * n for n in range(1, 11)}


async def subjects(town: Town) -> Counter[str]:
    """How often each fact of the town's units stands in the stream."""
    facts = await town.facts("task.>")
    return Counter(fact.subject for fact in facts if town.name in fact.subject)


def expected(said: list[dict[str, Any]]) -> Counter[str]:
    """Each offer once."""
    offers = [offer for one in said for offer in one["tasks"]]
    return Counter(f"dispatch.task.offered.v1.{offer['unit']}.{offer['task']}" for offer in offers)


async def openings(town: Town, said: list[dict[str, Any]]) -> list[int]:
    """How often each incident's opening was told."""
    told = Counter(fact.json["incident"] for fact in await town.facts("incident.opened.v1.*"))
    return [told[one["incident"]] for one in said]


async def test_kill_9_between_commit_and_publish_loses_no_fact(suite: Suite, troubled_town: Town) -> None:
    town = troubled_town
    await town.patrol(**FLOCK)
    async with hearing(town.connection, "user.*.task") as heard:
        async with relay_held(suite.postgres.url, "dispatch"):
            said = [await town.open() for _ in FLOCK]
            assert await unpublished(suite, "dispatch") == 3 * len(FLOCK)  # opened, offered, delivery
            assert await subjects(town) == Counter()
            await end(suite, "dispatch", signal.SIGKILL)
            await back(suite, "dispatch")
        await becomes(lambda: unpublished(suite, "dispatch"), 0)
        tasks = Counter(offer["task"] for one in said for offer in one["tasks"])
        await becomes(lambda: Counter(json.loads(msg.data)["task"] for msg in heard), tasks)
    assert len(tasks) == len(FLOCK)
    assert await subjects(town) == expected(said)
    assert await openings(town, said) == [1] * len(said)


async def test_kill_9_in_the_middle_of_publishing_tells_nothing_twice(suite: Suite, troubled_town: Town) -> None:
    town = troubled_town
    await town.patrol(**FLOCK)
    async with hearing(town.connection, "user.*.task") as heard:
        async with relay_held(suite.postgres.url, "dispatch"):
            said = [await town.open() for _ in range(40)]  # most of them short, which is a fact too
        await eventually(lambda: subjects(town), every_s=0.001)
        await end(suite, "dispatch", signal.SIGKILL)
        await back(suite, "dispatch")
        await becomes(lambda: unpublished(suite, "dispatch"), 0)
        tasks = {offer["task"] for one in said for offer in one["tasks"]}
        await eventually(lambda: {json.loads(msg.data)["task"] for msg in heard} >= tasks)
    assert await subjects(town) == expected(said)
    assert await openings(town, said) == [1] * len(said)
    await close(town, said)


async def close(town: Town, said: list[dict[str, Any]]) -> None:
    """So that nobody waits for hands while the next test runs."""
    for one in said:
        await town.ask("dispatch.close_incident", {"incident": one["incident"]})


async def test_an_orderly_stop_leaves_nobody_without_an_answer(suite: Suite, wire: Client, troubled_town: Town) -> None:
    """What has come in is finished; what comes later is told at once that nobody is there."""
    town = troubled_town

    async def call(n: int) -> str:
        body = {"kind": "dispute", **town.at(0), "summary": "两人争吵", "external_id": f"{town.name}-{n}"}
        try:
            answer = await ask(wire, "request.duty-room.dispatch.open_incident.v1", body, within_s=8)
        except NoRespondersError:
            return "nobody there"
        except AssertionError:
            return "silence"
        return answer.body["incident"]

    calls = [asyncio.create_task(call(n)) for n in range(100)]
    opened = "SELECT count(*) FROM dispatch.incidents WHERE external_id LIKE $1"
    await eventually(lambda: fetchval(suite, opened, f"{town.name}-%"))
    await end(suite, "dispatch", signal.SIGTERM)
    answers = Counter(await asyncio.gather(*calls))
    await back(suite, "dispatch")
    incidents = [{"incident": answer} for answer in answers if answer not in ("silence", "nobody there")]
    await close(town, incidents)
    assert answers["silence"] == 0
    assert await fetchval(suite, opened, f"{town.name}-%") == len(incidents)
    assert await openings(town, incidents) == [1] * len(incidents)


async def test_ten_seconds_without_a_broker_lose_nothing_and_restart_nobody(
    suite: Suite, wire: Client, troubled_town: Town
) -> None:
    town, before = troubled_town, pids(suite)
    await town.patrol(**FLOCK)
    loop = asyncio.get_running_loop()
    async with relay_held(suite.postgres.url, "dispatch"):
        said = [await town.open() for _ in FLOCK]
        await asyncio.to_thread(suite.nats.stop)
        gone_at = loop.time()
    for url in suite.stack["metrics"].values():
        await eventually(lambda url=url: _status(url, "readyz", good=False))
        assert await _status(url, "livez", good=True)
    assert not wire.is_connected  # nobody can open an incident meanwhile
    assert await unpublished(suite, "dispatch") == 3 * len(FLOCK)
    await eventually(lambda: loop.time() - gone_at > 10)
    await asyncio.to_thread(suite.nats.start)
    await becomes(lambda: unpublished(suite, "dispatch"), 0)
    assert await subjects(town) == expected(said)
    assert await openings(town, said) == [1] * len(said)
    await everything_works(suite, town)
    assert pids(suite) == before


async def _status(metrics_url: str, name: str, *, good: bool) -> bool:
    body = await asyncio.to_thread(page, metrics_url.replace("metrics", name))
    return (body is not None) is good


async def everything_works(suite: Suite, town: Town) -> None:
    """Requests, reports, feed, presence, offers, answers."""
    for name in ("location", "dispatch"):
        await suite.ready(name)
    await eventually(lambda: town.connection.is_connected)
    unit = await town.report("back", 10)
    await eventually(lambda: kept(town.connection, "LOCATION", f"location.unit.online.v1.{unit}"))
    await becomes(lambda: fetchval(suite, "SELECT presence FROM dispatch.units WHERE unit = $1", unit), "online")
    said = await town.open()
    assert offered(said) == ["back"]
    assert (await town.respond(said["tasks"][0], "accept")).status == 200
    await becomes(lambda: town.steps(said["tasks"][0]["task"]), ["offered", "accepted"])


async def test_without_a_database_requests_get_503_and_afterwards_all_works(suite: Suite, troubled_town: Town) -> None:
    town, before = troubled_town, pids(suite)
    await town.patrol(a=100)
    await asyncio.to_thread(suite.postgres.stop)
    try:
        for contract, body in {
            "dispatch.open_incident": {"kind": "dispute", **town.at(0), "summary": "两人争吵"},
            "dispatch.incidents": {},
        }.items():
            answer = await town.ask(contract, body)
            assert (contract, answer.status, answer.body["title"]) == (contract, 503, "Service Unavailable")
            assert answer.headers["Nats-Service-Error-Code"] == "503"
        unit = await town.report("meanwhile", 200)  # positions need no database
        near = await town.ask("location.nearby", {**town.at(0), "k": 5, "max_m": 5000})
        assert [found["unit"] for found in near.body["units"]] == [town.unit("a"), unit]
        assert (await town.ask("location.unit", {"unit": town.unit("nobody")})).status == 503
    finally:
        await asyncio.to_thread(suite.postgres.start)
    await everything_works(suite, town)
    online = await eventually(lambda: kept(town.connection, "LOCATION", f"location.unit.online.v1.{unit}"))
    assert len(online) == 1
    assert pids(suite) == before


async def say_online(wire: Client, unit: str) -> None:
    """A fact as location tells it."""
    now = rfc3339(utc_now())
    body = {"unit": unit, "kind": "guard", "at": now, "fix_at": now}
    await wire.jetstream().publish(f"location.unit.online.v1.{unit}", json.dumps(body).encode())


async def dead(wire: Client, unit: str) -> list[str]:
    """Why a unit's presence was put to the dead letters."""
    letters = await kept(wire, "DEAD", f"dead.{CONSUMER}")
    return [one.headers["Dead-Reason"] for one in letters if one.headers["Dead-Subject"].endswith(f".{unit}")]


async def deliveries(wire: Client) -> int:
    """How many messages the consumer was given, the repeated ones counted again."""
    info = await wire.jetstream().consumer_info("LOCATION", CONSUMER)
    assert info.delivered
    return int(info.delivered.consumer_seq)


async def test_a_fact_waits_for_a_database_that_is_away_longer_than_the_attempts_last(
    suite: Suite, wire: Client, troubled_town: Town
) -> None:
    """An outage is nobody's fault but the database's: good facts must not end among the dead letters by it."""
    unit = troubled_town.unit("patient")
    before = await deliveries(wire)
    await asyncio.to_thread(suite.postgres.stop)
    try:
        await say_online(wire, unit)
        await eventually(lambda: _at_least(wire, before + 4))
    finally:
        await asyncio.to_thread(suite.postgres.start)
    await suite.ready("dispatch")
    assert await dead(wire, unit) == []
    await becomes(lambda: fetchval(suite, "SELECT presence FROM dispatch.units WHERE unit = $1", unit), "online")
    assert await dead(wire, unit) == []


async def _at_least(wire: Client, count: int) -> bool:
    return await deliveries(wire) >= count


async def test_a_handler_that_fails_is_tried_again_until_it_can(
    suite: Suite, wire: Client, troubled_town: Town
) -> None:
    """The table it needs is away for a moment: a real error of a real handler."""
    await fetchval(suite, "ALTER TABLE dispatch.units RENAME TO units_away")
    try:
        unit = await troubled_town.report("newcomer", 50)

        async def redelivered() -> int:
            return (await wire.jetstream().consumer_info("LOCATION", CONSUMER)).num_redelivered or 0

        await eventually(redelivered)
    finally:
        await fetchval(suite, "ALTER TABLE dispatch.units_away RENAME TO units")
    await becomes(lambda: fetchval(suite, "SELECT presence FROM dispatch.units WHERE unit = $1", unit), "online")
    assert await dead(wire, unit) == []


@pytest.mark.parametrize("body", [b"online", b'{"nonsense": 1}', b"[]", b'{"unit": "a.b"}'])
async def test_a_poison_fact_ends_in_the_dead_letters_and_the_next_is_heard(
    suite: Suite, wire: Client, troubled_town: Town, body: bytes
) -> None:
    poisoned, after = troubled_town.unit("x"), troubled_town.unit("y")
    await wire.jetstream().publish(f"location.unit.online.v1.{poisoned}", body)
    await say_online(wire, after)
    assert len(await eventually(lambda: dead(wire, poisoned))) == 1
    await becomes(lambda: fetchval(suite, "SELECT presence FROM dispatch.units WHERE unit = $1", after), "online")
