"""Only who is on duty is on the map: what happens in memory at once, and what is written after it.

A shelf stands in for the database; that the SQL is right, the component tests say.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from shouwang.common.testing import eventually
from shouwang.contracts.location import UnitOffline, UnitOnline
from shouwang.contracts.training.duty import DutyEnded, DutyStarted
from shouwang.location import duty, store
from shouwang.location import rounds as rounds_module
from shouwang.location.domain.presence import Presence
from shouwang.location.domain.roll import Duty
from shouwang.location.domain.whereabouts import Known, Report, Whereabouts
from shouwang.location.duty import Watch
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.rounds import Rounds
from shouwang.location.settings import Settings

NOW = 1_700_000_000.0
FIRST, SECOND = (f"00000000-0000-7000-8000-{n:012}" for n in (1, 2))
Make = Callable[..., Report]


def on(unit: str, since: float = NOW - 60, until: float = NOW + 600, number: str = FIRST) -> Duty:
    return Duty(unit, number, since, until, "guard")


def off(unit: str, at: float = NOW, number: str = FIRST) -> Duty:
    return Duty(unit, number, at, None, None)


class Shelf:
    """Stands in for the database: stored positions, and facts that were committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: dict[str, Known] = {}
        self.facts: list[Any] = []
        self.is_away = False
        self.gate: asyncio.Event | None = None
        self.duties: list[Duty] = []
        for name in ("forget", "save", "strangers", "on_duty"):
            monkeypatch.setattr(store, name, getattr(self, name))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        if self.is_away:
            raise OSError("the database is away")
        told: list[Any] = []
        yield SimpleNamespace(tell=told.append)
        if self.gate is not None:
            await self.gate.wait()
        self.facts += told

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        yield None

    async def forget(self, _: Any, names: Sequence[str]) -> list[Known]:
        return [self.rows.pop(name) for name in names if name in self.rows]

    async def save(self, _: Any, everybody: Sequence[Known]) -> None:
        self.rows |= {known.unit: known for known in everybody}

    async def strangers(self, _: Any, now: float) -> list[str]:
        lasting = {told.unit: told.at for told in self.duties}
        return [unit for unit, row in self.rows.items() if unit not in lasting or row.time < lasting[unit]]

    async def on_duty(self, _: Any, now: float) -> list[Duty]:
        return self.duties

    def told(self) -> list[tuple[str, type[Any]]]:
        return [(fact.unit, type(fact)) for fact in self.facts]


class Post:
    """Location where duty is enforced."""

    def __init__(self, where: Whereabouts, shelf: Shelf, registry: CollectorRegistry, *, enforced: bool = True) -> None:
        metrics = Metrics(registry)
        self.where, self.shelf, self.feed = where, shelf, Feed(where, metrics)
        self.watch = Watch(where, self.feed, enforced=enforced)
        database: Any = shelf
        settings = Settings(duty="enforced", sweep_s=3600)  # nothing here is due to the next look
        self.rounds = Rounds(where, self.feed, self.watch, database, settings, metrics)

    def report(self, *reports: Report) -> None:
        self.feed.changed(self.where.apply(reports, NOW).slots)

    async def tell_presence(self) -> None:
        wire: Any = SimpleNamespace(is_connected=False)
        while await self.rounds._tell_presence(wire, NOW, hearing=True):
            pass


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (rounds_module, duty):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: NOW))


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    return Shelf(monkeypatch)


@pytest.fixture
def post(where: Whereabouts, shelf: Shelf, registry: CollectorRegistry) -> Post:
    return Post(where, shelf, registry)


@pytest.fixture
async def shown(post: Post, report: Make) -> Post:
    """A unit on duty that is shown, was told online, and is stored."""
    post.watch.hear(on("a"), NOW)
    post.report(report("a", NOW))
    post.feed.frames(NOW)
    await post.tell_presence()
    return post


# -- leaving ---------------------------------------------------------------------------------------------------------


async def test_from_the_end_of_duty_on_nobody_sees_the_unit(shown: Post) -> None:
    shown.watch.hear(off("a"), NOW)
    assert "a" not in shown.where.index
    assert not shown.watch.may_show("a", NOW)
    assert all(b'"a"' not in body for _, body in shown.feed.full_frames(NOW))
    await shown.rounds.see_off_now()
    assert shown.shelf.rows == {}
    assert shown.shelf.told() == [("a", UnitOnline), ("a", UnitOffline)]


async def test_duty_that_nobody_ended_is_over_by_the_clock(shown: Post) -> None:
    shown.watch.look(NOW + 599.9)
    assert "a" in shown.where.index
    shown.watch.look(NOW + 600)
    assert ("a" in shown.where.index, shown.watch.roll.postings) == (False, {})
    await shown.rounds.see_off_now()
    assert (shown.shelf.rows, shown.shelf.told()[-1]) == ({}, ("a", UnitOffline))


async def test_a_duty_that_was_over_before_it_was_heard_of_shows_nobody(post: Post) -> None:
    post.watch.hear(on("a", until=NOW), NOW)
    assert post.watch.roll.postings == {}


async def test_who_was_offline_already_is_forgotten_and_not_told_again(shown: Post) -> None:
    shown.shelf.rows["a"] = shown.shelf.rows["a"]._replace(presence=Presence.OFFLINE)
    shown.where.take_away("a")
    shown.watch.hear(off("a"), NOW)
    await shown.rounds.see_off_now()
    assert (shown.shelf.rows, shown.shelf.told()) == ({}, [("a", UnitOnline)])


async def test_whose_presence_was_never_told_is_not_told_offline(post: Post, report: Make) -> None:
    post.watch.hear(on("a"), NOW)
    post.report(report("a", NOW))
    await post.rounds.save_now()
    post.watch.hear(off("a"), NOW)
    await post.rounds.see_off_now()
    assert (post.shelf.rows, post.shelf.told()) == ({}, [])


async def test_a_farewell_that_could_not_be_written_is_written_later(shown: Post) -> None:
    shown.watch.hear(off("a"), NOW)
    shown.shelf.is_away = True
    with pytest.raises(OSError, match="away"):
        await shown.rounds.see_off_now()
    assert "a" not in shown.where.index
    assert not shown.watch.may_show("a", NOW)  # though its row is still there
    shown.shelf.is_away = False
    await shown.rounds.see_off_now()
    assert (shown.shelf.rows, shown.shelf.told()[-1]) == ({}, ("a", UnitOffline))


async def test_a_position_that_is_just_being_saved_does_not_outlive_the_duty(shown: Post, report: Make) -> None:
    shown.report(report("a", NOW + 1))
    shown.shelf.gate = asyncio.Event()
    saving = asyncio.create_task(shown.rounds.save_now())
    await eventually(lambda: shown.shelf.rows["a"].time == NOW + 1)  # written, not committed
    shown.watch.hear(off("a"), NOW)
    leaving = asyncio.create_task(shown.rounds.see_off_now())
    await asyncio.sleep(0)
    assert "a" in shown.shelf.rows  # it waits for what is being written
    shown.shelf.gate.set()
    await asyncio.gather(saving, leaving)
    await shown.rounds.save_now()
    assert shown.shelf.rows == {}


async def test_who_is_on_duty_again_at_once_is_seen_after_its_farewell(shown: Post) -> None:
    shown.watch.hear(off("a"), NOW)
    shown.watch.hear(on("a", since=NOW + 1, number=SECOND), NOW)
    assert "a" not in shown.watch.roll.postings
    await shown.rounds.see_off_now()
    assert shown.watch.roll.postings["a"].since == NOW + 1
    assert shown.shelf.told()[-1] == ("a", UnitOffline)


async def test_the_next_duty_without_an_end_of_the_one_before_keeps_the_unit_on_the_map(shown: Post) -> None:
    shown.watch.hear(on("a", since=NOW + 1, number=SECOND), NOW)
    assert "a" in shown.where.index


async def test_a_leaving_wakes_the_round_and_the_clock_does_too(shown: Post) -> None:
    wire: Any = None
    at_work = asyncio.create_task(shown.rounds.see_off(wire))
    await asyncio.sleep(0)
    shown.watch.hear(off("a"), NOW)
    await eventually(lambda: shown.shelf.told()[-1:] == [("a", UnitOffline)])
    at_work.cancel()
    await asyncio.gather(at_work, return_exceptions=True)
    await shown.watch.stir(0.001)  # nobody leaves: it ends by the clock


async def test_many_farewells_go_in_portions(monkeypatch: pytest.MonkeyPatch, post: Post, report: Make) -> None:
    monkeypatch.setattr(rounds_module, "PORTION", 2)
    for n in range(5):
        post.watch.hear(on(f"u{n}"), NOW)
        post.report(report(f"u{n}", NOW, 27.7 + n / 100))
    await post.tell_presence()
    post.watch.see_off([f"u{n}" for n in range(5)], NOW)
    await post.rounds.see_off_now()
    assert (post.shelf.rows, post.shelf.told()[5:]) == ({}, [(f"u{n}", UnitOffline) for n in range(5)])


# -- a start ---------------------------------------------------------------------------------------------------------


async def test_a_start_shows_and_keeps_only_who_is_on_duty(post: Post) -> None:
    kept = {
        unit: Known(unit, "guard", 27.7, 120.6, time, 5.0, 80.0, presence)
        for unit, time, presence in (
            ("on", NOW - 5, Presence.ONLINE),
            ("stranger", NOW - 5, Presence.ONLINE),
            ("gone", NOW - 5, Presence.OFFLINE),
            ("again", NOW - 90, Presence.SILENT),  # on duty, but this is from the duty before
        )
    }
    post.shelf.rows = dict(kept)
    post.shelf.duties = [on("on"), on("again"), on("late")]
    post.where.restore([known for known in kept.values() if known.presence is not Presence.OFFLINE])
    post.feed.remember(post.where.placed())
    await post.rounds.call_the_roll()
    assert post.where.index.slots.keys() == {"on"}
    assert post.shelf.rows.keys() == {"on"}
    assert sorted(post.shelf.told()) == [("again", UnitOffline), ("stranger", UnitOffline)]
    assert post.watch.roll.postings.keys() == {"on", "again", "late"}
    ((_, body),) = post.feed.frames(NOW)  # whoever believed them there is told
    assert all(word in body for word in (b"stranger", b"again"))


# -- facts -----------------------------------------------------------------------------------------------------------


class Ledger:
    """Stands in for the table of duties: whether a fact is news is said by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_news, self.noted = True, list[Duty]()
        monkeypatch.setattr(store, "note_duty", self.note_duty)

    async def note_duty(self, _: Any, told: Duty) -> bool:
        self.noted.append(told)
        return self.is_news


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    return Ledger(monkeypatch)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, UTC)


ABOUT: dict[str, Any] = {"member": "a", "shift": SECOND, "duty": FIRST}
STARTED = DutyStarted(**ABOUT, kind="guard", until=moment(600), at=moment(-60))
ENDED = DutyEnded(**ABOUT, reason="said", at=moment(0))


async def test_memory_follows_what_is_news_by_the_table(post: Post, ledger: Ledger) -> None:
    await duty.duty_started(STARTED, None, post.watch)
    assert post.watch.roll.postings["a"] == (NOW - 60, NOW + 600, "guard")
    ledger.is_news = False
    await duty.duty_ended(ENDED, None, post.watch)
    assert "a" in post.watch.roll.postings
    ledger.is_news = True
    await duty.duty_ended(ENDED, None, post.watch)
    assert post.watch.roll.postings == {}
    assert ledger.noted == [on("a"), off("a"), off("a")]


async def test_a_fact_that_comes_again_because_its_commit_failed_is_written_again(post: Post, ledger: Ledger) -> None:
    for _ in range(2):
        await duty.duty_started(STARTED, None, post.watch)
    assert ledger.noted == [on("a"), on("a")]
    assert "a" in post.watch.roll.postings


async def test_where_duty_is_ignored_facts_are_kept_and_nothing_else(
    where: Whereabouts, shelf: Shelf, registry: CollectorRegistry, report: Make, ledger: Ledger
) -> None:
    post = Post(where, shelf, registry, enforced=False)
    post.report(report("a", NOW))
    await duty.duty_started(STARTED, None, post.watch)
    await duty.duty_ended(ENDED, None, post.watch)
    assert ledger.noted == [on("a"), off("a")]
    assert ("a" in where.index, post.watch.roll.leaving(9)) == (True, [])
    assert post.watch.may_show("anybody", 0.0)


def test_everybody_counts_unless_duty_is_enforced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOUWANG_DUTY", raising=False)
    assert Settings().duty == "ignored"
    monkeypatch.setenv("SHOUWANG_DUTY", "enforced")
    assert Settings().duty == "enforced"
    monkeypatch.setenv("SHOUWANG_DUTY", "perhaps")
    with pytest.raises(ValidationError):
        Settings()
