"""Where duty is enforced nobody is located but while on duty: no question, no feed, no row tells of anybody else.

Seen while on duty only is a promise to who is seen (个人信息保护法 art. 28): so these tests look everywhere.
"""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from shouwang.common.ids import new_id
from shouwang.common.testing import becomes, eventually, hearing, kept, metric, page
from shouwang.contracts.location import CellCount, CellFrame, UnitOffline
from shouwang.contracts.shapes import Fact
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.stack.suite import Suite
from shouwang.stack.supervisor import Patience

from .town import FeedEar, Town
from .trouble import back, end, fetchval

CONSUMERS = ("location-on-duty", "location-off-duty")
SETTINGS = {
    "SHOUWANG_DUTY": "enforced", "SHOUWANG_SWEEP_S": "0.1", "SHOUWANG_SAVE_S": "0.2", "SHOUWANG_SETTLE_S": "0.5",
    "SHOUWANG_RETRY_S": "0.2", "SHOUWANG_LOG_LEVEL": "WARNING",
}  # fmt: skip


@pytest.fixture(scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """Location alone, on servers of its own; some of these tests kill it."""
    patience = Patience(first_s=0.1, most_s=0.3)
    made = Suite(tmp_path_factory.mktemp("watched"), print, only=("location",), env=SETTINGS, patience=patience)
    async with made as suite:
        yield suite


@pytest.fixture(scope="module")
async def wire_of_its_own(watched: Suite) -> AsyncIterator[Client]:
    """The test's connection."""
    connection = await nats.connect(watched.nats.url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def listening(wire_of_its_own: Client) -> FeedEar:
    """Who listens to the feed."""
    ear = FeedEar()
    await ear.listen(wire_of_its_own)
    return ear


@pytest.fixture
def town(wire_of_its_own: Client, listening: FeedEar) -> Town:
    """A place of the test's own."""
    return Town(wire_of_its_own, listening)


class Duty:
    """A duty of one unit, told as training tells it."""

    def __init__(self, town: Town, word: str, begins_s: float = -60, lasts_s: float = 14_400) -> None:
        self._town = town
        self._about = {"member": town.unit(word), "shift": new_id(), "duty": new_id()}
        self._begins = datetime.now(UTC) + timedelta(seconds=begins_s)
        self._until = self._begins + timedelta(seconds=lasts_s)

    async def starts(self) -> None:
        """The member goes on duty; location has heard it."""
        await self.say(DutyStarted(**self._about, kind="guard", until=self._until, at=self._begins))
        await self.heard()

    async def ends(self) -> None:
        """The member goes off duty; location has heard it."""
        await self.say_ended()
        await self.heard()

    async def say_ended(self) -> None:
        """Only the word, that location may not be there to hear."""
        await self.say(DutyEnded(**self._about, reason="said", at=datetime.now(UTC)))

    async def say(self, fact: Fact) -> None:
        """Into the stream."""
        body, headers = fact.model_dump_json().encode(), {"ce-id": new_id()}
        await self._town.connection.jetstream().publish(fact.subject(), body, headers=headers)

    async def heard(self) -> None:
        """Wait until location has taken all that there is."""

        async def waiting() -> int:
            stream = self._town.connection.jetstream()
            infos = [await stream.consumer_info("TRAINING", name) for name in CONSUMERS]
            return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)

        await becomes(waiting, 0)


async def on_duty(town: Town, word: str, **more: float) -> Duty:
    """A unit on duty."""
    duty = Duty(town, word, **more)
    await duty.starts()
    return duty


async def told(town: Town, word: str) -> list[str]:
    """What was told of a unit's presence, in order."""
    facts = await kept(town.connection, "LOCATION", f"location.unit.*.v1.{town.unit(word)}")
    return [fact.subject.split(".")[2] for fact in facts]


async def off_duty_refused(suite: Suite) -> float:
    """How many reports were refused because their unit was not on duty."""
    text = await asyncio.to_thread(page, suite.stack["metrics"]["location"])
    return metric(text or "", "location_reports_rejected_total", reason="off_duty")


async def is_refused(suite: Suite, town: Town, word: str, *, age_s: float = 0.0) -> bool:
    """A unit reports, and the report is counted as that of somebody off duty."""
    before = await off_duty_refused(suite)
    body = {**town.at(100), "time": time.time() - age_s}
    await town.connection.publish(f"report.{town.unit(word)}", json.dumps(body).encode())
    await becomes(lambda: off_duty_refused(suite), before + 1)
    return True


async def seen(suite: Suite, town: Town) -> dict[str, Any]:
    """Everything that can be found out about units in the town."""
    circle = [[town.lon + east, town.lat + north] for east, north in ((-1, -0.4), (1, -0.4), (1, 0.4), (-1, 0.4))]
    region = {"type": "Polygon", "coordinates": [[*circle, circle[0]]]}
    near = await town.ask("location.nearby", {**town.at(0), "k": 50, "max_m": 20_000})
    inside = await town.ask("location.in_region", {"region": region})
    counts = await town.ask("location.counts", {"resolution": 7, "region": region})
    rows = await fetchval(suite, "SELECT array_agg(unit) FROM location.units WHERE starts_with(unit, $1)", town.name)
    by_name = [await town.ask("location.unit", {"unit": town.unit(word)}) for word in ("a", "b")]
    return {
        "near": [unit["unit"] for unit in near.body["units"]],
        "inside": [unit["unit"] for unit in inside.body["units"]],
        "count": counts.body["total"],
        "by_name": [answer.status for answer in by_name],
        "rows": sorted(rows or []),
    }


NOTHING = {"near": [], "inside": [], "count": 0, "by_name": [404, 404], "rows": []}


async def test_a_report_counts_only_while_its_unit_is_on_duty(watched: Suite, town: Town) -> None:
    assert await is_refused(watched, town, "a")
    assert await seen(watched, town) == NOTHING
    duty = await on_duty(town, "a")
    unit = await town.report("a", 200, kind="police_officer")
    answer = (await town.ask("location.unit", {"unit": unit})).body
    assert (answer["presence"], answer["kind"]) == ("online", "guard")  # not what the phone says of itself
    assert await is_refused(watched, town, "b")
    await duty.ends()
    assert await is_refused(watched, town, "a")


async def test_after_duty_nothing_tells_where_the_unit_is_or_was(watched: Suite, town: Town) -> None:
    a, b = [await on_duty(town, word) for word in "ab"]
    async with hearing(town.connection, "location.>") as heard:
        units = [await town.report("a", 100), await town.report("b", 200)]
        await becomes(lambda: told(town, "a"), ["online"])
        await eventually(lambda: fetchval(watched, "SELECT unit FROM location.units WHERE unit = $1", units[0]))
        await a.ends()
        await becomes(lambda: told(town, "a"), ["online", "offline"])
        assert await seen(watched, town) == {
            "near": units[1:], "inside": units[1:], "count": 1, "by_name": [404, 200], "rows": units[1:],
        }  # fmt: skip
        frames = (CellFrame.model_validate_json(msg.data) for msg in heard if msg.subject.startswith("location.cell."))
        cell = next(frame.cell for frame in frames if any(shown.unit == units[0] for shown in frame.units))

        def last_frames() -> list[CellFrame]:
            ours = [msg for msg in heard if msg.subject.startswith("location.cell.") and msg.subject.endswith(cell)]
            return [CellFrame.model_validate_json(msg.data) for msg in ours]

        await eventually(lambda: any(units[0] in frame.left for frame in last_frames()))
        left_at = next(n for n, frame in enumerate(last_frames()) if units[0] in frame.left)
        await town.report("b", 210)  # goes on, in frames without the other
        assert all(shown.unit != units[0] for frame in last_frames()[left_at:] for shown in frame.units)

        def counts() -> list[int]:
            ours = [msg for msg in heard if msg.subject.startswith("location.count.") and msg.subject.endswith(cell)]
            return [CellCount.model_validate_json(msg.data).count for msg in ours]

        await becomes(lambda: counts()[-1:], [1])
    offline = await kept(town.connection, "LOCATION", f"location.unit.offline.v1.{units[0]}")
    assert [UnitOffline.model_validate(fact.json).kind for fact in offline] == ["guard"]
    await b.ends()
    await becomes(lambda: seen(watched, town), NOTHING)


async def test_where_a_unit_was_before_its_duty_began_is_nobodys_business(watched: Suite, town: Town) -> None:
    await on_duty(town, "a", begins_s=-60)
    assert await is_refused(watched, town, "a", age_s=61)
    assert await seen(watched, town) == NOTHING
    await town.report("a", 100, age_s=30)


async def test_duty_that_nobody_ends_is_over_by_the_clock(watched: Suite, town: Town) -> None:
    await on_duty(town, "a", begins_s=-60, lasts_s=61)

    async def reports() -> bool:
        body = {**town.at(100), "time": time.time()}
        await town.connection.publish(f"report.{town.unit('a')}", json.dumps(body).encode())
        return bool(await off_duty_refused(watched) > before)

    before = await off_duty_refused(watched)
    await eventually(reports)
    await becomes(lambda: seen(watched, town), NOTHING)
    assert await told(town, "a") in ([], ["online", "offline"])  # on a slow day the second was over before it was heard


async def test_facts_may_come_in_any_order(watched: Suite, town: Town) -> None:
    first, second = Duty(town, "a", begins_s=-120), Duty(town, "a", begins_s=-60)
    await second.starts()
    await first.starts()
    assert await is_refused(watched, town, "a", age_s=90)  # the second goes on; the first is not begun again
    await town.report("a", 100)
    await second.ends()
    await second.starts()  # again, late
    await first.ends()
    assert await is_refused(watched, town, "a")
    other = Duty(town, "b")
    await other.ends()
    await other.starts()  # after its end
    assert await is_refused(watched, town, "b")
    await becomes(lambda: seen(watched, town), NOTHING)


async def test_who_goes_on_duty_again_is_seen_again_from_then_on(watched: Suite, town: Town) -> None:
    duty = await on_duty(town, "a")
    await town.report("a", 100)
    await becomes(lambda: told(town, "a"), ["online"])
    await duty.ends()
    await on_duty(town, "a", begins_s=0)
    assert await is_refused(watched, town, "a", age_s=30)
    await town.report("a", 300)
    await becomes(lambda: told(town, "a"), ["online", "offline", "online"])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_brings_back_who_is_on_duty_and_nobody_else(
    watched: Suite, town: Town, sign: signal.Signals
) -> None:
    await on_duty(town, "b")
    gone = await on_duty(town, "a")
    await town.report("a", 100)
    unit = await town.report("b", 200)
    for word in "ab":
        await becomes(lambda word=word: told(town, word), ["online"])
    await gone.ends()
    assert await is_refused(watched, town, "a")  # stream REPORTS keeps it all the same
    await end(watched, "location", sign)
    await back(watched, "location")
    assert await seen(watched, town) == {
        "near": [unit], "inside": [unit], "count": 1, "by_name": [404, 200], "rows": [unit],
    }  # fmt: skip
    assert await is_refused(watched, town, "a")
    assert [await told(town, word) for word in "ab"] == [["online", "offline"], ["online"]]


async def test_a_duty_that_ended_while_location_was_away_is_over_when_it_is_back(watched: Suite, town: Town) -> None:
    duty = await on_duty(town, "a")
    await town.report("a", 100)
    await becomes(lambda: told(town, "a"), ["online"])
    await end(watched, "location", signal.SIGKILL)
    await duty.say_ended()
    await back(watched, "location")
    await becomes(lambda: told(town, "a"), ["online", "offline"])
    assert await seen(watched, town) == NOTHING
    assert await is_refused(watched, town, "a")


async def test_a_crash_between_the_end_of_duty_and_its_farewell_is_made_up_for(watched: Suite, town: Town) -> None:
    """As if it had been killed when the fact was committed, and the stored position not yet deleted."""
    await on_duty(town, "a")
    unit = await town.report("a", 100)
    await becomes(lambda: told(town, "a"), ["online"])
    await end(watched, "location", signal.SIGKILL)
    await fetchval(watched, "UPDATE location.duties SET until = NULL WHERE unit = $1", unit)
    async with hearing(town.connection, "location.cell.v1.>") as heard:
        await back(watched, "location")
        assert await seen(watched, town) == NOTHING
        await becomes(lambda: told(town, "a"), ["online", "offline"])
        await eventually(lambda: any(unit in CellFrame.model_validate_json(msg.data).left for msg in heard))


REFUSE = """
    CREATE FUNCTION location.refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the disk is full, say'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON location.duties
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION location.refuse();
"""


async def execute(suite: Suite, statements: str) -> None:
    """Several statements at once."""
    connection = await asyncpg.connect(suite.postgres.url)
    await connection.execute(statements)
    await connection.close()


async def test_a_fact_whose_commit_fails_counts_at_once_and_is_written_when_it_comes_again(
    watched: Suite, town: Town
) -> None:
    """Memory is ahead of the table then, and must not keep the table from following."""
    duty = await on_duty(town, "a")
    unit = await town.report("a", 100)
    await execute(watched, REFUSE)  # at the commit, when the handler has done all that it does
    try:
        await duty.say_ended()
        await becomes(lambda: seen(watched, town), NOTHING)
        assert await fetchval(watched, "SELECT until IS NOT NULL FROM location.duties WHERE unit = $1", unit)
    finally:
        await execute(watched, "DROP FUNCTION location.refuse CASCADE")
    await duty.heard()
    assert await fetchval(watched, "SELECT until IS NULL FROM location.duties WHERE unit = $1", unit)
    await end(watched, "location", signal.SIGKILL)
    await back(watched, "location")
    assert await is_refused(watched, town, "a")
