"""Only who is on duty is located and sent, where that is enforced: by facts of training, in whatever order."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from shouwang.common.ids import new_id
from shouwang.common.testing import Answer, becomes, eventually, kept, metric, running
from shouwang.contracts.shapes import Fact
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.contracts.training.people import MemberCleared, MemberSuspended
from shouwang.dispatch.main import assemble as dispatch_service
from shouwang.dispatch.settings import Settings as DispatchSettings
from shouwang.stack.suite import Suite, page

from .conftest import SETTINGS
from .town import FeedEar, Town, left_out, offered


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """A suite of its own in which only members on duty count."""
    env = {**SETTINGS, "SHOUWANG_DUTY": "enforced", "SHOUWANG_SWEEP_S": "0.2"}
    async with Suite(tmp_path_factory.mktemp("duty"), print, only=("location",), env=env) as suite:
        where = {"nats_url": suite.nats.url, "postgres_url": suite.postgres.url}
        settings = DispatchSettings(**where, duty="enforced", offer_s=3600, retry_short_s=0.2, tick_s=0.1)
        async with running(dispatch_service(settings)):
            yield suite


@pytest.fixture(scope="module")
async def line(guarded: Suite) -> AsyncIterator[Client]:
    """The test's connection."""
    made = await nats.connect(guarded.nats.url)
    yield made
    await made.close()


@pytest.fixture(scope="module")
async def feed(line: Client) -> FeedEar:
    """Who listens to the feed."""
    ear = FeedEar()
    await ear.listen(line)
    return ear


@pytest.fixture
def town(line: Client, feed: FeedEar) -> Town:
    """A place of the test's own."""
    return Town(line, feed)


class Training:
    """Training as far as the others hear it: its facts."""

    def __init__(self, town: Town) -> None:
        self.town, self.now = town, datetime.now(UTC)

    async def tell(self, fact: Fact) -> None:
        """Into the stream, once."""
        headers = {"Nats-Msg-Id": new_id(), "ce-id": new_id()}
        await self.town.connection.jetstream().publish(fact.subject(), fact.model_dump_json().encode(), headers=headers)

    async def cleared(self, *words: str, later_s: float = 0, **more: Any) -> None:
        """Nothing forbids these to be on patrol."""
        at = self.now + timedelta(seconds=later_s)
        for word in words:
            about = {"member": self.town.unit(word), "kind": "guard", "until": None, "at": at, **more}
            await self.tell(MemberCleared(**about))

    async def suspended(self, word: str, reason: str, later_s: float = 0) -> None:
        """Something forbids it."""
        at = self.now + timedelta(seconds=later_s)
        await self.tell(MemberSuspended(member=self.town.unit(word), kind="guard", reason=reason, at=at))

    async def on(self, *words: str, later_s: float = 0, hours: float = 4) -> None:
        """These go on duty; the time of it is some minutes ago, `later_s` later."""
        at = self.now - timedelta(minutes=5) + timedelta(seconds=later_s)
        for word in words:
            about = {"member": self.town.unit(word), "kind": "guard", "shift": new_id(), "duty": new_id()}
            await self.tell(DutyStarted(**about, until=self.now + timedelta(hours=hours), at=at))

    async def off(self, word: str, later_s: float = 1) -> None:
        """It goes off duty."""
        at = self.now - timedelta(minutes=5) + timedelta(seconds=later_s)
        about = {"member": self.town.unit(word), "shift": new_id(), "duty": new_id(), "reason": "said"}
        await self.tell(DutyEnded(**about, at=at))


@pytest.fixture
def training(town: Town) -> Training:
    """What training tells of the town's members."""
    return Training(town)


async def refused(guarded: Suite) -> float:
    """How many reports location has refused from who is off duty."""
    told = await asyncio.to_thread(page, guarded.stack["metrics"]["location"])
    return metric(told, "location_reports_rejected_total", reason="off_duty")


async def reported(town: Town, word: str, metres: float = 100) -> bool:
    """A report of this unit counts."""
    body = {**town.at(metres), "time": datetime.now(UTC).timestamp()}
    await town.connection.publish(f"report.{town.unit(word)}", json.dumps(body).encode())
    return town.is_seen(word)


async def placed(town: Town, *words: str, metres: float = 100) -> None:
    """They report until they are seen: that they are on duty may not have come to location yet."""
    for word in words:
        await eventually(lambda word=word: reported(town, word, metres))


async def test_reports_count_from_going_on_duty_until_going_off(guarded: Suite, town: Town, training: Training) -> None:
    before = await refused(guarded)
    body = {**town.at(100), "time": datetime.now(UTC).timestamp()}
    await town.connection.publish(f"report.{town.unit('a')}", json.dumps(body).encode())

    async def one_more() -> bool:
        return await refused(guarded) > before

    await eventually(one_more)
    await training.on("a")
    await placed(town, "a")
    assert (await town.ask("location.unit", {"unit": town.unit("a")})).status == 200
    await training.off("a")
    await becomes(lambda: status(town, "a"), 404)
    near = await town.ask("location.nearby", {"lat": town.lat, "lon": town.lon, "k": 5, "max_m": 5000})
    assert near.body["units"] == []
    await eventually(lambda: kept(town.connection, "LOCATION", f"location.unit.offline.v1.{town.unit('a')}"))
    assert not await reported_again(guarded, town, "a")


async def status(town: Town, word: str) -> int:
    """How a question for a unit is answered."""
    return (await town.ask("location.unit", {"unit": town.unit(word)})).status


async def reported_again(guarded: Suite, town: Town, word: str) -> bool:
    """Whether a report is shown; it is refused when the counter says so."""
    before = await refused(guarded)
    town.forget_fix(word)
    await reported(town, word)

    async def one_more() -> bool:
        return await refused(guarded) > before

    await eventually(one_more)
    return town.is_seen(word)


async def test_a_fix_from_before_duty_began_is_nobodys_business(guarded: Suite, town: Town, training: Training) -> None:
    await training.on("a")
    await placed(town, "a")
    before = await refused(guarded)
    old = {**town.at(900), "time": (training.now - timedelta(minutes=6)).timestamp()}
    await town.connection.publish(f"report.{town.unit('a')}", json.dumps(old).encode())

    async def one_more() -> bool:
        return await refused(guarded) > before

    await eventually(one_more)


async def test_duty_that_nobody_ended_ends_by_the_clock(town: Town, training: Training) -> None:
    await training.on("a", hours=1 / 3600 * 3)  # three seconds
    await placed(town, "a")
    await becomes(lambda: status(town, "a"), 404)


async def test_a_restart_keeps_who_is_on_duty_and_shows_nobody_else(
    guarded: Suite, town: Town, training: Training
) -> None:
    await training.on("a", "b")
    await placed(town, "a", "b")
    guarded.supervisor.kill("location")
    await training.off("b")
    await guarded.ready("location")
    await becomes(lambda: status(town, "b"), 404)
    await placed(town, "a")


async def test_only_who_is_cleared_and_on_duty_is_offered_a_task(town: Town, training: Training) -> None:
    await training.on("unknown", "uncleared", "barred", "fine")
    await training.suspended("barred", "not_certified", later_s=1)
    await training.suspended("uncleared", "no_consent")
    await training.cleared("barred", "fine")
    for n, word in enumerate(("unknown", "uncleared", "barred", "fine")):
        await placed(town, word, metres=100 * n)

    async def opened() -> Answer | None:
        answer = await town.ask("dispatch.open_incident", {"kind": "tip", **town.at(0), "summary": "示例"})
        return answer if offered(answer.body) == ["fine"] else None

    said = await eventually(opened)
    assert left_out(said.body) == {"unknown": "not_cleared", "uncleared": "no_consent", "barred": "not_certified"}


async def test_facts_in_the_wrong_order_are_put_right_by_their_times(town: Town, training: Training) -> None:
    await training.suspended("a", "no_insurance", later_s=10)
    await training.cleared("a", later_s=5)  # older: the suspension stands
    await training.off("b", later_s=10)
    await training.on("b", later_s=5)
    await training.cleared("b", "c")
    await training.on("a", "c", later_s=20)
    await placed(town, "a", "c")

    async def who() -> tuple[list[str], dict[str, str]]:
        answer = await town.ask("dispatch.open_incident", {"kind": "tip", **town.at(0), "summary": "示例"})
        if offered(answer.body) == ["c"]:
            await town.ask("dispatch.close_incident", {"incident": answer.body["incident"]})
        return offered(answer.body), left_out(answer.body)

    await becomes(who, (["c"], {"a": "no_insurance"}))
    assert await status(town, "b") == 404


async def test_an_offer_is_passed_on_when_its_unit_goes_off_duty_but_a_task_under_way_is_not(
    town: Town, training: Training
) -> None:
    await training.cleared("a", "b")
    await training.on("a")
    await placed(town, "a")
    await training.on("b")
    await placed(town, "b")
    said = await eventually(lambda: opened_for(town, "a", "b"))
    first = said["tasks"][0]
    word = "a" if first["unit"] == town.unit("a") else "b"
    other = "b" if word == "a" else "a"
    await training.off(word)
    second = await town.offer_to(said["incident"], other)
    assert (await town.steps(first["task"]))[-1] == "cancelled"
    await town.respond(second, "accept")
    await training.off(other)
    await becomes(lambda: status(town, other), 404)
    assert (await town.respond(second, "arrive")).status == 200


async def opened_for(town: Town, *words: str) -> dict[str, Any] | None:
    """An incident that is offered to one of these; None, and closed again, while nobody is known to be on duty."""
    answer = await town.ask("dispatch.open_incident", {"kind": "tip", **town.at(0), "summary": "示例"})
    if offered(answer.body) and offered(answer.body)[0] in words:
        return answer.body
    await town.ask("dispatch.close_incident", {"incident": answer.body["incident"]})
    return None


async def test_who_comes_on_duty_gets_what_is_waiting_for_hands(town: Town, training: Training) -> None:
    said = (await town.ask("dispatch.open_incident", {"kind": "tip", **town.at(0), "summary": "示例"})).body
    assert said["shortfall"] == 1
    await training.cleared("late")
    await training.on("late")
    await placed(town, "late")
    task = await town.offer_to(said["incident"], "late")
    assert (await town.respond(task, "accept")).status == 200
