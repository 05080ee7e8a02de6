"""Location comes back as it was, catches up with what was said while it was away, and tells no presence twice."""

import asyncio
import contextlib
import json
import signal
import time
from typing import Any

import asyncpg
import pytest

from shouwang.common.testing import becomes, eventually, hearing, kept, relay_held
from shouwang.stack.suite import Suite

from .town import Town
from .trouble import back, end, fetchval, unpublished


async def presences(town: Town, word: str) -> list[str]:
    """What has been told of a unit's presence, in order."""
    facts = await kept(town.connection, "LOCATION", f"location.unit.*.v1.{town.unit(word)}")
    return [fact.subject.split(".")[2] for fact in facts]


async def where(town: Town, word: str) -> dict[str, Any]:
    """The unit as location knows it, without what time alone changes."""
    answer = await town.ask("location.unit", {"unit": town.unit(word)})
    return {name: value for name, value in answer.body.items() if name != "age_s"}


async def say_unheard(town: Town, word: str, north_m: float, **said: Any) -> None:
    """A report that nobody but the stream can take now."""
    body = {**town.at(north_m), "time": time.time(), **said}
    await town.connection.jetstream().publish(f"report.{town.unit(word)}", json.dumps(body).encode())


async def swept_after(town: Town, word: str) -> None:
    """Location has looked at everybody's presence since this unit's first report."""
    await becomes(lambda: presences(town, word), ["online"])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_keeps_everybodys_last_place_kind_and_presence(
    suite: Suite, troubled_town: Town, sign: signal.Signals
) -> None:
    town = troubled_town
    await town.report("a", 100, kind="guard", accuracy_m=5, battery_pct=80)
    await town.report("b", 200)
    await town.report("c", 300, age_s=200, kind="militia")
    for word, told in {"a": "online", "b": "online", "c": "silent"}.items():
        await becomes(lambda word=word: presences(town, word), [told])
    await town.report("a", 110)  # not saved yet, perhaps
    before = {word: await where(town, word) for word in "abc"}
    await end(suite, "location", sign)
    await back(suite, "location")
    assert {word: await where(town, word) for word in "abc"} == before
    assert [before[word]["presence"] for word in "abc"] == ["online", "online", "silent"]
    assert [before[word]["kind"] for word in "abc"] == ["guard", "patroller", "militia"]
    await town.report("later", 400)
    await swept_after(town, "later")
    assert [await presences(town, word) for word in "abc"] == [["online"], ["online"], ["silent"]]


async def test_reports_sent_while_it_was_down_count(suite: Suite, troubled_town: Town) -> None:
    town = troubled_town
    await town.report("a", 100)
    await swept_after(town, "a")
    await end(suite, "location", signal.SIGKILL)
    await say_unheard(town, "a", 150)
    await say_unheard(town, "a", 190)
    await say_unheard(town, "new", 500, kind="guard")
    await back(suite, "location")
    assert (await where(town, "a"))["lat"] == pytest.approx(town.at(190)["lat"])
    assert (await where(town, "new"))["kind"] == "guard"
    await swept_after(town, "new")
    assert await presences(town, "a") == ["online"]


async def test_a_cell_that_a_unit_left_while_location_was_down_is_told_so(suite: Suite, troubled_town: Town) -> None:
    """Who keeps a map by cell would show it in both for ever: an empty cell has no full frames."""
    town = troubled_town
    async with hearing(town.connection, "location.>") as heard:
        unit = await town.report("a", 0, age_s=100)
        cell = next(msg.subject for msg in heard if unit.encode() in msg.data)
        await swept_after(town, "a")
        await end(suite, "location", signal.SIGKILL)
        await say_unheard(town, "a", 4000)
        await back(suite, "location")

        def said(subject: str) -> list[dict[str, Any]]:
            return [json.loads(msg.data) for msg in heard if msg.subject == subject]

        await eventually(lambda: any(unit in frame["left"] for frame in said(cell)), within_s=10)
        await eventually(lambda: said(cell.replace("cell", "count"))[-1]["count"] == 0, within_s=10)


async def test_a_presence_that_was_committed_and_not_told_is_told_once_after_kill_9(
    suite: Suite, troubled_town: Town
) -> None:
    town = troubled_town
    async with relay_held(suite.postgres.url, "location"):
        await asyncio.gather(*(town.report(f"u{n}", 50.0 * n) for n in range(5)))
        await becomes(lambda: unpublished(suite, "location"), 5)
        await end(suite, "location", signal.SIGKILL)
        await back(suite, "location")
    for n in range(5):
        await becomes(lambda n=n: presences(town, f"u{n}"), ["online"])
    await town.report("later", 400)
    await swept_after(town, "later")
    assert [await presences(town, f"u{n}") for n in range(5)] == [["online"]] * 5


async def test_saving_positions_does_not_bring_an_old_presence_back(suite: Suite, troubled_town: Town) -> None:
    """A save that was under way while a presence was told must not overwrite it: a restart would tell it again."""
    town = troubled_town
    unit, other = await town.report("a", 100, age_s=200), await town.report("b", 200)
    await becomes(lambda: presences(town, "a"), ["silent"])
    await swept_after(town, "b")
    await town.report("b", 210)
    moved = f"SELECT lat > {town.at(205)['lat']} FROM location.units WHERE unit = $1"
    await eventually(lambda: fetchval(suite, moved, other))  # a save has just been: the next is some sweeps away
    holder = await asyncpg.connect(suite.postgres.url)
    async with holder.transaction():
        await holder.execute("SELECT FROM location.units WHERE unit = $1 FOR UPDATE", unit)
        await say_unheard(town, "a", 110)
        with contextlib.suppress(AssertionError):  # or the service sees to it itself that one comes after the other
            # Both want to write the unit's row: first who tells that it is online again, then who saves.
            await becomes(lambda: holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"), 2, within_s=2)
    await holder.close()
    await becomes(lambda: presences(town, "a"), ["silent", "online"])
    await end(suite, "location", signal.SIGKILL)
    await back(suite, "location")
    await town.report("later", 400)
    await swept_after(town, "later")
    assert await presences(town, "a") == ["silent", "online"]
