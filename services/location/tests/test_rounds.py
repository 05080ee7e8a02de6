"""What location does by the clock, round by round: the tests let each round begin, and hold the time still.

A notebook stands in for the database; that the SQL is right, the component tests say.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from shouwang.contracts.location import CellFrame, UnitOffline, UnitOnline, UnitSilent
from shouwang.location import rounds as rounds_module
from shouwang.location.domain.presence import Presence
from shouwang.location.domain.whereabouts import Known, Report, Whereabouts
from shouwang.location.duty import Watch
from shouwang.location.feed import Feed
from shouwang.location.metrics import Metrics
from shouwang.location.rounds import Rounds, fact_of
from shouwang.location.settings import Settings

NOW = 1_700_000_000.0
SETTLE_S = 15.0
Make = Callable[..., Report]


class Beat:
    """Stands in for `asyncio.sleep` between rounds: a round that has ended waits until the test wants the next."""

    def __init__(self) -> None:
        self._begin, self._ended = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def sleep(self, _: float) -> None:
        self._ended.release()
        await self._begin.acquire()

    async def ended(self) -> None:
        """Wait for the round in hand to end."""
        async with asyncio.timeout(5):
            await self._ended.acquire()

    async def once(self) -> None:
        """One more round."""
        self._begin.release()
        await self.ended()


class Books:
    """Stands in for the database: transactions that came through, each with what was saved and told in it."""

    def __init__(self) -> None:
        self.kept: list[Books.Transaction] = []
        self.begun = 0
        self.is_away = False
        self.gate: asyncio.Event | None = None

    class Transaction:
        """One of them."""

        def __init__(self) -> None:
            self.saved: dict[str, tuple[float, Presence]] = {}
            self.facts: list[Any] = []

        async def execute(self, _: Any, columns: dict[str, list[Any]]) -> None:
            assert not set(columns["unit"]) & self.saved.keys()
            assert len(set(columns["unit"])) == len(columns["unit"])
            self.saved |= dict(
                zip(columns["unit"], zip(columns["time"], columns["presence"], strict=True), strict=True)
            )

        def tell(self, fact: Any) -> None:
            self.facts.append(fact)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Books.Transaction"]:
        self.begun += 1
        if self.is_away:
            raise OSError("the database is away")
        transaction = self.Transaction()
        yield transaction
        if self.gate is not None:
            await self.gate.wait()  # the commit takes its time
        self.kept.append(transaction)

    def told(self) -> list[tuple[str, str]]:
        """Unit and word of each fact, in order."""
        words = {UnitOnline: "online", UnitSilent: "silent", UnitOffline: "offline"}
        return [(fact.unit, words[type(fact)]) for transaction in self.kept for fact in transaction.facts]


class Wire:
    """As much of a NATS client as the rounds need."""

    def __init__(self) -> None:
        self.is_connected = True
        self.frames: list[CellFrame] = []
        self.counts = 0

    async def publish(self, subject: str, body: bytes) -> None:
        if subject.startswith("location.cell."):
            self.frames.append(CellFrame.model_validate_json(body))
        else:
            self.counts += 1

    def left(self) -> list[str]:
        return [unit for frame in self.frames for unit in frame.left]


class Place:
    """Location's rounds with everything around them."""

    def __init__(self, where: Whereabouts, registry: CollectorRegistry, beat: Beat) -> None:
        self.where, self.registry, self.beat = where, registry, beat
        self.books, self.wire, self.now = Books(), Wire(), NOW
        metrics = Metrics(registry)
        self.feed = Feed(where, metrics)
        database: Any = self.books
        settings = Settings(settle_s=SETTLE_S, full_frame_s=60)
        self.rounds = Rounds(where, self.feed, Watch(where, self.feed, enforced=False), database, settings, metrics)

    def report(self, reports: Iterable[Report]) -> None:
        self.feed.changed(self.where.apply(list(reports), self.now).slots)

    @asynccontextmanager
    async def at_work(self, work: Callable[[Any], Any]) -> AsyncIterator[None]:
        """Run one of the rounds; the first is over when the block begins."""
        task = asyncio.create_task(work(self.wire))
        try:
            await self.beat.ended()
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, where: Whereabouts, registry: CollectorRegistry) -> Place:
    beat = Beat()
    place = Place(where, registry, beat)
    monkeypatch.setattr(rounds_module, "asyncio", SimpleNamespace(Lock=asyncio.Lock, sleep=beat.sleep))
    monkeypatch.setattr(rounds_module, "time", SimpleNamespace(time=lambda: place.now))
    return place


# -- presence --------------------------------------------------------------------------------------------------------


async def test_each_change_of_presence_is_told_once_and_saved_with_it(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    async with place.at_work(place.rounds.sweep):
        for seconds in (1, 121, 122, 601, 602):
            place.now = NOW + seconds
            await place.beat.once()
    assert place.books.told() == [("a", "online"), ("a", "silent"), ("a", "offline")]
    saved = [transaction.saved for transaction in place.books.kept]
    assert saved == [{"a": (NOW, p)} for p in (Presence.ONLINE, Presence.SILENT, Presence.OFFLINE)]
    assert place.registry.get_sample_value("location_units_tracked") == 0


@pytest.mark.parametrize("away_s", [1, 300, 4000])
async def test_nobody_is_judged_while_the_broker_is_away_nor_until_reports_had_time_to_come(
    place: Place, report: Make, away_s: float
) -> None:
    place.report([report("back", NOW), report("gone", NOW, 27.8)])
    async with place.at_work(place.rounds.sweep):
        place.wire.is_connected = False
        for seconds in (0.5, away_s / 2, away_s):
            place.now = NOW + seconds
            await place.beat.once()
        place.wire.is_connected = True
        place.now += SETTLE_S / 2
        place.report([report("back", place.now)])
        await place.beat.once()
        place.now = NOW + away_s + SETTLE_S - 0.001
        await place.beat.once()
        assert place.books.told() == [("back", "online"), ("gone", "online")]
        place.now = NOW + away_s + SETTLE_S
        await place.beat.once()
    age_s = away_s + SETTLE_S
    after = [("gone", "offline")] if age_s > 600 else [("gone", "silent")] if age_s > 120 else []
    assert place.books.told() == [("back", "online"), ("gone", "online"), *after]


async def test_each_absence_of_the_broker_begins_the_wait_anew(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    async with place.at_work(place.rounds.sweep):
        for seconds in range(200, 400, 10):  # a broker that comes and goes, never there for as long as settle_s
            place.now = NOW + seconds
            place.wire.is_connected = not place.wire.is_connected
            await place.beat.once()
    assert place.books.told() == [("a", "online")]


async def test_a_broker_that_was_never_away_is_not_waited_for(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    async with place.at_work(place.rounds.sweep):
        assert place.books.told() == [("a", "online")]


@pytest.mark.parametrize(("portion", "transactions"), [(1, 5), (2, 3), (5, 1), (1000, 1)])
async def test_many_changes_go_in_portions_within_one_round(
    monkeypatch: pytest.MonkeyPatch, place: Place, report: Make, portion: int, transactions: int
) -> None:
    monkeypatch.setattr(rounds_module, "PORTION", portion)
    place.report(report(f"u{i}", NOW, 27.7 + i / 100) for i in range(5))
    async with place.at_work(place.rounds.sweep):
        assert len(place.books.kept) == transactions
        assert all(len(transaction.facts) <= portion for transaction in place.books.kept)
        assert sorted(place.books.told()) == [(f"u{i}", "online") for i in range(5)]
        assert [set(transaction.saved) for transaction in place.books.kept] == [
            {fact.unit for fact in transaction.facts} for transaction in place.books.kept
        ]


async def test_what_could_not_be_written_is_told_later_and_nobody_is_taken_away_before(
    place: Place, report: Make
) -> None:
    place.report([report("a", NOW)])
    async with place.at_work(place.rounds.sweep):
        await place.feed.send(place.wire, place.feed.frames(NOW))
    place.now, place.books.is_away = NOW + 700, True
    with pytest.raises(OSError, match="away"):
        await place.rounds.sweep(place.wire)
    assert ("a" in place.where.index, place.wire.left()) == (True, [])
    place.books.is_away = False
    async with place.at_work(place.rounds.sweep):
        assert place.books.told() == [("a", "online"), ("a", "offline")]
        assert ("a" in place.where.index, place.wire.left()) == (False, ["a"])


async def test_who_reports_while_being_given_up_is_told_online_again(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    await place.feed.send(place.wire, place.feed.frames(NOW))
    async with place.at_work(place.rounds.sweep):
        place.now, place.books.gate = NOW + 700, asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, place.report, [report("a", NOW + 700)])
        asyncio.get_running_loop().call_later(0.02, place.books.gate.set)
        await place.beat.once()
        await place.beat.once()
    assert place.books.told() == [("a", "online"), ("a", "offline"), ("a", "online")]
    assert ("a" in place.where.index, place.wire.left()) == (True, [])


async def test_a_sweep_counts_the_cells_that_somebody_entered(place: Place, report: Make) -> None:
    place.report([report("a", NOW), report("b", NOW, 28.7)])
    place.feed.frames(NOW)
    async with place.at_work(place.rounds.sweep):
        assert place.wire.counts == 2
        await place.beat.once()
        assert place.wire.counts == 2
    assert place.registry.get_sample_value("location_units_tracked") == 2


@pytest.mark.parametrize(
    ("presence", "fact"),
    [(Presence.ONLINE, UnitOnline), (Presence.SILENT, UnitSilent), (Presence.OFFLINE, UnitOffline)],
)
def test_the_fact_of_a_presence(presence: Presence, fact: type[Any]) -> None:
    said: Any = fact_of(Known("a", "guard", 27.7, 120.6, NOW - 5, 1.0, 2.0, presence), NOW)
    assert type(said) is fact
    assert (said.unit, said.kind, said.at.timestamp(), said.fix_at.timestamp()) == ("a", "guard", NOW, NOW - 5)


# -- saving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("portion", "transactions"), [(1, 5), (2, 3), (5, 1), (1000, 1)])
async def test_a_save_goes_in_portions_and_keeps_everybody_once(
    monkeypatch: pytest.MonkeyPatch, place: Place, report: Make, portion: int, transactions: int
) -> None:
    monkeypatch.setattr(rounds_module, "PORTION", portion)
    place.report(report(f"u{i}", NOW, 27.7 + i / 100) for i in range(5))
    await place.rounds.save_now()
    assert len(place.books.kept) == transactions
    saved = [unit for transaction in place.books.kept for unit in transaction.saved]
    assert sorted(saved) == [f"u{i}" for i in range(5)]
    await place.rounds.save_now()
    assert place.books.begun == transactions  # nothing to save: the database is left alone


async def test_a_save_that_failed_is_made_up_for(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    place.books.is_away = True
    with pytest.raises(OSError, match="away"):
        await place.rounds.save_now()
    place.books.is_away = False
    await place.rounds.save_now()
    assert [list(transaction.saved) for transaction in place.books.kept] == [["a"]]


async def test_what_was_saved_with_a_presence_is_not_saved_again(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    async with place.at_work(place.rounds.sweep):
        await place.rounds.save_now()
    assert len(place.books.kept) == 1


async def test_a_save_waits_for_the_presence_that_is_being_told(place: Place, report: Make) -> None:
    place.report([report("a", NOW)])
    place.books.gate = asyncio.Event()
    sweep = asyncio.create_task(place.rounds.sweep(place.wire))
    await asyncio.sleep(0.01)
    place.report([report("a", NOW + 1)])
    save = asyncio.create_task(place.rounds.save_now())
    await asyncio.sleep(0.01)
    assert place.books.begun == 1
    place.books.gate.set()
    await save
    sweep.cancel()
    await asyncio.gather(sweep, return_exceptions=True)
    # Had it not waited, `UNKNOWN` would stand where online was told: online would be told again after a restart.
    assert [transaction.saved for transaction in place.books.kept] == [
        {"a": (NOW, Presence.ONLINE)},
        {"a": (NOW + 1, Presence.ONLINE)},
    ]


# -- the feed --------------------------------------------------------------------------------------------------------


async def test_changes_are_sent_each_round_and_everything_once_in_a_while(place: Place, report: Make) -> None:
    place.report([report("a", NOW), report("b", NOW, 28.7)])

    def sent() -> list[tuple[bool, list[str]]]:
        frames = sorted((frame.full, sorted(unit.unit for unit in frame.units)) for frame in place.wire.frames)
        place.wire.frames.clear()
        return frames

    async with place.at_work(place.rounds.send_feed):
        assert sent() == [(False, ["a"]), (False, ["b"]), (True, ["a"]), (True, ["b"])]
        assert place.wire.counts == 2
        place.now = NOW + 59
        place.report([report("a", NOW + 59)])
        await place.beat.once()
        assert sent() == [(False, ["a"])]
        place.now = NOW + 60
        await place.beat.once()
        assert sent() == [(True, ["a"]), (True, ["b"])]
        assert place.wire.counts == 4
