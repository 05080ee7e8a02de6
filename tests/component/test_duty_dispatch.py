"""Where duty is enforced only who is cleared and on duty is sent, by facts of training in whatever order.

Training itself is not there: dispatch goes by what it has heard. Its clock stands still, so nothing here is due to an
incident being tried again by the clock.
"""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import nats
import pytest
from nats.aio.client import Client

from shouwang.common.ids import new_id
from shouwang.common.testing import FixedClock, becomes, eventually, hearing, kept, running
from shouwang.contracts.dispatch import TaskNotice
from shouwang.contracts.shapes import Fact
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.contracts.training.people import MemberCleared, MemberSuspended
from shouwang.dispatch.main import assemble
from shouwang.dispatch.settings import Settings
from shouwang.stack.suite import Suite

from .conftest import SETTINGS
from .town import FeedEar, Town, left_out, offered

CONSUMERS = ("dispatch-cleared", "dispatch-suspended", "dispatch-on-duty", "dispatch-off-duty")
FOR_EVER = 1e9


@pytest.fixture(scope="module")
async def suite_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Suite]:
    """Servers of its own, and location, to which everybody counts: so that it is dispatch which leaves people out."""
    async with Suite(tmp_path_factory.mktemp("on-duty"), print, only=("location",), env=SETTINGS) as suite:
        yield suite


@pytest.fixture(scope="module")
async def clock(suite_of_its_own: Suite) -> AsyncIterator[FixedClock]:
    """The clock of dispatch, which is at work."""
    clock = FixedClock(datetime.now(UTC))
    where = {"nats_url": suite_of_its_own.nats.url, "postgres_url": suite_of_its_own.postgres.url}
    settings = Settings(
        **where, duty="enforced", offer_s=FOR_EVER, fresh_s=FOR_EVER, tick_s=0.1, retry_short_s=0.1,
        speeds_mps={"police_officer": 10.0}, check_nearest=True,
    )  # fmt: skip
    service = assemble(settings, clock)
    async with running(service):
        yield clock
    exact = service.registry.get_sample_value("dispatch_first_offers_total", {"nearest": "exact"})
    other = service.registry.get_sample_value("dispatch_first_offers_total", {"nearest": "other"})
    assert (bool(exact), other) == (True, None)  # all that was offered in this module, looked at afterwards


@pytest.fixture(scope="module")
async def wire_of_its_own(suite_of_its_own: Suite) -> AsyncIterator[Client]:
    """The test's connection."""
    connection = await nats.connect(suite_of_its_own.nats.url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def listening(wire_of_its_own: Client) -> FeedEar:
    """Who listens to the feed."""
    ear = FeedEar()
    await ear.listen(wire_of_its_own)
    return ear


@pytest.fixture
def town(wire_of_its_own: Client, listening: FeedEar, clock: FixedClock) -> Town:
    """A place of the test's own."""
    return Town(wire_of_its_own, listening)


class Training:
    """As far as dispatch hears it: facts in a stream."""

    def __init__(self, town: Town, clock: FixedClock) -> None:
        self._town, self._clock = town, clock
        self._duties: dict[str, dict[str, str]] = {}

    def at(self, seconds: float) -> datetime:
        """So long after now."""
        return self._clock() + timedelta(seconds=seconds)

    async def tell(self, *facts: Fact) -> None:
        """Publish these, and wait until dispatch has taken all that there is."""
        for fact in facts:
            headers = {"ce-id": new_id()}
            await self._town.connection.jetstream().publish(
                fact.subject(), fact.model_dump_json().encode(), headers=headers
            )
        await becomes(self._waiting, 0)

    async def _waiting(self) -> int:
        stream = self._town.connection.jetstream()
        infos = [await stream.consumer_info("TRAINING", name) for name in CONSUMERS]
        return sum((info.num_pending or 0) + (info.num_ack_pending or 0) for info in infos)

    def _about(self, word: str, after_s: float, kind: str = "guard") -> dict[str, Any]:
        return {"member": self._town.unit(word), "kind": kind, "at": self.at(after_s)}

    def cleared(self, word: str, after_s: float = -60, **more: Any) -> Fact:
        """Nothing forbids it to be on patrol."""
        return MemberCleared(**{**self._about(word, after_s), "until": None, **more})

    def suspended(self, word: str, reason: str = "not_certified", after_s: float = -60) -> Fact:
        """Something does."""
        return MemberSuspended(**self._about(word, after_s), reason=reason)

    def started(self, word: str, after_s: float = -60, lasts_s: float = 14_400, **more: Any) -> Fact:
        """It is on duty."""
        self._duties[word] = {"shift": new_id(), "duty": new_id()}
        about = {**self._about(word, after_s), **self._duties[word], "until": self.at(after_s + lasts_s), **more}
        return DutyStarted(**about)

    def ended(self, word: str, after_s: float = 0) -> Fact:
        """The duty that began last has ended."""
        return DutyEnded(member=self._town.unit(word), **self._duties[word], reason="said", at=self.at(after_s))

    async def on_duty(self, *words: str) -> None:
        """Cleared, and on duty."""
        await self.tell(*(fact for word in words for fact in (self.cleared(word), self.started(word))))


@pytest.fixture
def training(town: Town, clock: FixedClock) -> Training:
    """What training says of the town's members."""
    return Training(town, clock)


async def test_only_who_is_cleared_and_on_duty_is_offered_it_and_the_others_are_named_with_the_reason(
    town: Town, training: Training, clock: FixedClock
) -> None:
    words = ("stranger", "barred", "grounded", "untold", "over", "off", "busy", "free")
    await town.patrol(**{word: 100.0 * n for n, word in enumerate(words, 1)})
    await training.on_duty("off", "busy", "free")
    await training.tell(
        training.suspended("barred", "no_insurance"), training.started("barred"),
        training.suspended("grounded", "not_certified"),
        training.started("untold"),
        training.cleared("over", until=(clock() - timedelta(days=2)).date()), training.started("over"),
        training.ended("off"),
    )  # fmt: skip
    assert offered(await town.open()) == ["busy"]
    said = await town.open()
    assert offered(said) == ["free"]
    assert left_out(said) == {
        "stranger": "unknown_member", "barred": "no_insurance", "grounded": "not_certified", "untold": "not_cleared",
        "over": "not_cleared", "off": "off_duty", "busy": "busy",
    }  # fmt: skip
    assert left_out(await town.incident(said["incident"])) == left_out(said)


STORIES: dict[str, tuple[list[str], str | None]] = {
    "on duty": (["cleared 1", "started 1"], None),
    "off duty": (["cleared 1", "started 1", "ended 5"], "off_duty"),
    "over at once": (["cleared 1", "started 1", "ended 1"], "off_duty"),
    "on duty again": (["cleared 1", "started 1", "ended 5", "started 7"], None),
    "suspended": (["cleared 1", "started 1", "suspended 3"], "not_certified"),
    "cleared again": (["cleared 1", "suspended 3", "cleared 5", "started 1"], None),
    "all of it": (
        ["cleared 1", "suspended 3", "cleared 5", "started 1", "ended 5", "started 7", "ended 9", "started 9"], None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_facts_may_come_in_any_order_and_twice(town: Town, training: Training, seed: int) -> None:
    facts = []
    for word, (story, _) in STORIES.items():
        for line in story:
            verb, _, seconds = line.partition(" ")
            fact = getattr(training, verb)(word.replace(" ", "_"), after_s=float(seconds) - 60)
            facts += [fact, fact]
    random.Random(seed).shuffle(facts)
    await town.patrol(**{word.replace(" ", "_"): 100.0 for word in STORIES})
    await training.tell(*facts)
    said = await town.open(needed=len(STORIES))
    free = sorted(word.replace(" ", "_") for word, (_, reason) in STORIES.items() if reason is None)
    assert sorted(offered(said)) == free
    assert left_out(said) == {word.replace(" ", "_"): reason for word, (_, reason) in STORIES.items() if reason}


async def test_who_goes_off_duty_loses_an_offer_it_has_not_answered_and_the_next_gets_it(
    town: Town, training: Training
) -> None:
    await town.patrol(a=100, b=200)
    await training.on_duty("a", "b")
    said = await town.open()
    assert offered(said) == ["a"]
    async with hearing(town.connection, f"user.{town.unit('a')}.notice") as notices:
        await training.tell(training.ended("a"))
        second = await town.offer_to(said["incident"], "b")
        notice = await eventually(lambda: notices and TaskNotice.model_validate_json(notices[0].data))
    assert (notice.task, notice.status) == (said["tasks"][0]["task"], "cancelled")
    await becomes(lambda: town.steps(said["tasks"][0]["task"]), ["offered", "cancelled"])
    assert left_out(await town.incident(said["incident"])) == {"a": "off_duty"}
    assert (await town.respond(second, "accept")).status == 200


async def test_who_is_suspended_loses_an_offer_it_has_not_answered(town: Town, training: Training) -> None:
    await town.patrol(a=100)
    await training.on_duty("a")
    said = await town.open()
    await training.tell(training.suspended("a", "no_consent", after_s=0))
    await becomes(lambda: town.steps(said["tasks"][0]["task"]), ["offered", "cancelled"])
    now = await town.incident(said["incident"])
    assert (now["shortfall"], left_out(now)) == (1, {"a": "no_consent"})
    shortfalls = await kept(town.connection, "DISPATCH", f"dispatch.shortfall.declared.v1.{said['incident']}")
    assert [fact.json["missing"] for fact in shortfalls] == [1]


@pytest.mark.parametrize("steps", [["accept"], ["accept", "arrive"]])
async def test_who_is_on_the_way_or_there_stays_though_its_duty_ends(
    town: Town, training: Training, steps: list[str]
) -> None:
    await town.patrol(a=100, b=200)
    await training.on_duty("a", "b")
    said = await town.open()
    for step in steps:
        await town.respond(said["tasks"][0], step)
    await training.tell(training.ended("a"), training.suspended("a", after_s=0))
    now = await town.incident(said["incident"])
    assert [task["unit"] for task in now["tasks"]] == [town.unit("a")]
    assert (await town.respond(said["tasks"][0], "complete")).body["status"] == "completed"


async def test_the_late_end_of_an_older_duty_takes_no_offer_back(town: Town, training: Training) -> None:
    await town.patrol(a=100)
    await training.tell(training.cleared("a"), training.started("a"))
    end_of_it = training.ended("a", after_s=-30)
    await training.tell(training.started("a", after_s=-20))
    said = await town.open()
    await training.tell(end_of_it)
    assert await town.steps(said["tasks"][0]["task"]) == ["offered"]


@pytest.mark.parametrize("last", ["started", "cleared"])
async def test_who_comes_on_duty_is_offered_what_waits_for_hands(town: Town, training: Training, last: str) -> None:
    await town.patrol(late=100)
    said = await town.open()
    assert (offered(said), left_out(said)) == ([], {"late": "unknown_member"})
    first, then = (training.cleared("late"), training.started("late"))[:: 1 if last == "started" else -1]
    await training.tell(first)
    assert (await town.incident(said["incident"]))["tasks"] == []
    await training.tell(then)
    await town.offer_to(said["incident"], "late")


async def test_duty_and_clearance_end_by_the_clock_though_nobody_says_so(
    town: Town, training: Training, clock: FixedClock
) -> None:
    await town.patrol(a=100, b=200)
    tomorrow = (clock() + timedelta(hours=8)).date() + timedelta(days=1)
    await training.tell(
        training.cleared("a"), training.started("a", after_s=0, lasts_s=600),
        training.cleared("b", until=tomorrow), training.started("b", lasts_s=7 * 86_400),
    )  # fmt: skip
    first = await town.open()
    assert offered(first) == ["a"]
    await town.ask("dispatch.close_incident", {"incident": first["incident"]})
    clock.forward(600)
    second = await town.open()
    assert (offered(second), left_out(second)) == (["b"], {"a": "off_duty"})
    await town.ask("dispatch.close_incident", {"incident": second["incident"]})
    clock.forward(2 * 86_400)
    third = await town.open()
    assert (offered(third), left_out(third)) == ([], {"a": "off_duty", "b": "not_cleared"})


async def test_a_units_own_word_on_its_kind_does_not_bring_it_forward(town: Town, training: Training) -> None:
    await town.report("boasts", 300, kind="police_officer")
    await town.report("walks", 200)
    await town.report("drives", 1000)
    await training.on_duty("boasts", "walks")
    officer = {"kind": "police_officer"}
    await training.tell(training.cleared("drives", **officer), training.started("drives", **officer))
    said = await town.open(needed=3)
    assert offered(said) == ["drives", "walks", "boasts"]


async def test_a_fact_that_cannot_be_read_costs_only_itself(town: Town, training: Training) -> None:
    await town.patrol(a=100)
    await town.connection.jetstream().publish(f"training.duty.started.v1.{town.unit('a')}.x", b'{"member": "a.b"}')
    await training.on_duty("a")
    assert offered(await town.open()) == ["a"]
    dead = await kept(town.connection, "DEAD", "dead.dispatch-on-duty")
    assert any(town.unit("a") in letter.headers["Dead-Subject"] for letter in dead)


async def test_other_facts_of_training_are_not_even_delivered(
    suite_of_its_own: Suite, town: Town, training: Training
) -> None:
    stream = town.connection.jetstream()
    for subject in ("training.member.registered.v1.x", "training.roster.published.v1.x"):
        await stream.publish(subject, b"{}")
    await training.on_duty("a")
    filters = {name: (await stream.consumer_info("TRAINING", name)).config.filter_subject for name in CONSUMERS}
    assert set(filters.values()) == {
        "training.member.cleared.v1.*", "training.member.suspended.v1.*", "training.duty.started.v1.*.*",
        "training.duty.ended.v1.*.*",
    }  # fmt: skip
    connection = await asyncpg.connect(suite_of_its_own.postgres.url)
    assert await connection.fetchval("SELECT count(*) FROM dispatch.members WHERE member = 'x'") == 0
    await connection.close()
