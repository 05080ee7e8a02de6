"""From a wish for hands to offers: how far is looked, who is named, when it is tried again.

The SQL is replaced by what it would answer; the index is the real one.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from shouwang.common.geo import GeoIndex
from shouwang.common.testing import FixedClock
from shouwang.contracts.dispatch import ShortfallDeclared, TaskOffered
from shouwang.dispatch import store
from shouwang.dispatch.domain.choosing import Reason, Rules, Standing
from shouwang.dispatch.domain.progress import Incident, Task
from shouwang.dispatch.feed import Follower, Frame, UnitShown
from shouwang.dispatch.metrics import Metrics
from shouwang.dispatch.offers import FIRST_LOOK, MOST_LEFT_OUT, Offers

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)
INCIDENT = "00000000-0000-7000-8000-000000000001"
LAT, LON = 27.7, 120.6
STEP_M = 111.195 / 100
"""Units stand north of the incident, 0.00001 degrees apart."""


class Town:
    """Offers over a real index, and what the database would say and keep."""

    def __init__(self, rules: Rules, *, check_nearest: bool = False, enforced: bool = False) -> None:
        self.clock, self.registry = FixedClock(NOW), CollectorRegistry()
        self.feed = Follower(GeoIndex(), 1e9)
        modes = {"check_nearest": check_nearest, "enforced": enforced}
        self.offers = Offers(self.feed, rules, Metrics(self.registry), self.clock, **modes)
        self.prevented: dict[str, Reason] = {}
        self.members: dict[str, Standing] = {}
        self.taken: set[str] = set()
        self.asked: list[tuple[dict[str, float], datetime]] = []
        self.statuses: list[Task] = []
        self.incident: dict[str, Any] = {}
        self.decisions: list[Mapping[str, Any]] = []

    def show(self, units: Iterable[tuple[str, int, float]], kind: str = "walker") -> None:
        """Units as (name, place in the row, age of the fix)."""
        at = NOW.timestamp()
        row = [UnitShown(unit, kind, LAT + place / 100_000, LON, at - age_s) for unit, place, age_s in units]
        self.feed.apply(Frame("8741a8d63ffffff", at, row))

    def call(self, needed: int = 1, **fields: Any) -> store.Call:
        said = {"status": "dispatched", "missing": 0, "opened_at": NOW, **fields}
        return store.Call(INCIDENT, LAT, LON, "x", needed, **said)

    def stand_in_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answer in place of the store."""

        async def standings(_: Any, incident: str, asked: Mapping[str, float], again: datetime) -> dict[str, Reason]:
            assert incident == INCIDENT
            self.asked.append((dict(asked), again))
            return {unit: reason for unit, reason in self.prevented.items() if unit in asked}

        async def standings_of_members(
            _: Any, incident: str, asked: Mapping[str, float], again: datetime, now: datetime
        ) -> dict[str, Standing]:
            assert (incident, now) == (INCIDENT, NOW)
            self.asked.append((dict(asked), again))
            return {unit: self.members.get(unit, Standing("", Reason.UNKNOWN_MEMBER)) for unit in asked}

        async def offer(_: Any, rows: Sequence[Mapping[str, Any]]) -> set[str]:
            return {row["unit"] for row in rows} - self.taken

        async def statuses(_: Any, __: str) -> list[Task]:
            return self.statuses

        async def set_incident(_: Any, __: str, **values: Any) -> None:
            self.incident |= values

        async def record_decision(_: Any, row: Mapping[str, Any]) -> None:
            self.decisions.append(row)

        for answer in (standings, standings_of_members, offer, statuses, set_incident, record_decision):
            monkeypatch.setattr(store, answer.__name__, answer)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    town = Town(Rules(), check_nearest=True)
    town.stand_in_for(monkeypatch)
    return town


def fresh(count: int, start: int = 0) -> list[tuple[str, int, float]]:
    return [(f"fresh{i:04}", start + i, 0.0) for i in range(count)]


def stale(count: int, start: int = 0) -> list[tuple[str, int, float]]:
    return [(f"stale{i:04}", start + i, 121.0) for i in range(count)]


# -- looking ---------------------------------------------------------------------------------------------------------


def test_so_many_fresh_ones_end_the_look_and_it_reached_as_far_as_the_last(town: Town) -> None:
    town.show(fresh(10))
    looked = town.offers._look(town.call(), 4)
    assert [near.unit for near in looked.near] == ["fresh0000", "fresh0001", "fresh0002", "fresh0003"]
    assert looked.to_m == looked.near[-1].distance_m == pytest.approx(3 * STEP_M, rel=1e-3)


@pytest.mark.parametrize(("there", "wanted"), [(0, 1), (3, 4), (10, 11), (10, 1000)])
def test_with_fewer_than_wanted_everybody_was_looked_at(town: Town, there: int, wanted: int) -> None:
    town.show(fresh(there))
    looked = town.offers._look(town.call(), wanted)
    assert (len(looked.near), looked.to_m) == (there, math.inf)


@pytest.mark.parametrize(("age_s", "counts"), [(0, True), (-60, True), (119.9, True), (120, True), (120.1, False)])
def test_only_fresh_fixes_count(town: Town, age_s: float, counts: bool) -> None:
    town.show([("first", 0, age_s), ("second", 1, 0.0)])
    looked = town.offers._look(town.call(), 1)
    assert [near.unit for near in looked.near] == (["first"] if counts else ["first", "second"])


@pytest.mark.parametrize("crowd", [0, 1, MOST_LEFT_OUT - 1, MOST_LEFT_OUT, MOST_LEFT_OUT + 1, 1500])
def test_a_crowd_without_fresh_fixes_is_looked_through_and_named_up_to_a_bound(town: Town, crowd: int) -> None:
    town.show([*stale(crowd), *fresh(3, start=crowd)])
    looked = town.offers._look(town.call(), 2)
    named = [near.unit for near in looked.near]
    kept = min(crowd, MOST_LEFT_OUT)
    assert named == [f"stale{i:04}" for i in range(kept)] + ["fresh0000", "fresh0001"]
    assert looked.to_m == pytest.approx((crowd + 1) * STEP_M, rel=1e-3)


def test_the_bound_is_on_the_nearest_of_the_stale_and_on_none_of_the_fresh(town: Town) -> None:
    town.show(
        [*((f"stale{i:04}", 2 * i, 500.0) for i in range(300)), *((f"fresh{i:04}", 2 * i + 1, 0.0) for i in range(300))]
    )
    near = town.offers._look(town.call(), 10_000).near
    assert [n.unit for n in near if n.unit.startswith("stale")] == [f"stale{i:04}" for i in range(MOST_LEFT_OUT)]
    assert [n.unit for n in near if n.unit.startswith("fresh")] == [f"fresh{i:04}" for i in range(300)]
    assert [n.distance_m for n in near] == sorted(n.distance_m for n in near)


def test_nobody_beyond_reach_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    town = Town(Rules(reach_m=5.5 * STEP_M))
    town.show([*fresh(10), *stale(3, start=4)])
    looked = town.offers._look(town.call(), 100)
    assert {near.unit for near in looked.near} == {*(f"fresh{i:04}" for i in range(6)), "stale0000", "stale0001"}
    assert looked.to_m == math.inf


# -- filling ---------------------------------------------------------------------------------------------------------


async def test_the_nearest_is_offered_the_incident(town: Town, book: Any) -> None:
    town.show(fresh(3))
    filled = await town.offers.fill(book, town.call(), first=True)
    assert ([row["unit"] for row in filled.offers], filled.left_out, filled.missing) == (["fresh0000"], [], 0)
    assert [(type(fact), fact.unit, fact.at) for fact in book.facts] == [(TaskOffered, "fresh0000", NOW)]
    assert [(subject, message.expires_at) for subject, message in book.deliveries] == [
        ("user.fresh0000.task", NOW + timedelta(seconds=30))
    ]
    assert town.incident == {}  # as it was opened: nothing to put right
    assert town.metric("dispatch_first_offers_total", nearest="exact") == 1


async def test_behind_a_crowd_of_stale_ones_the_fresh_one_is_found_and_the_soonest_of_the_crowd_are_named(
    town: Town, book: Any
) -> None:
    town.show([*stale(1500), *fresh(1, start=1500)])
    filled = await town.offers.fill(book, town.call(), first=True)
    assert [row["unit"] for row in filled.offers] == ["fresh0000"]
    assert filled.left_out == [(f"stale{i:04}", Reason.SILENT) for i in range(MOST_LEFT_OUT)]
    assert sum(len(asked) for asked, _ in town.asked) <= MOST_LEFT_OUT + 1  # nor is the database asked about all
    assert town.metric("dispatch_first_offers_total", nearest="exact") == 1


async def test_when_everybody_is_left_out_not_all_are_named(town: Town, book: Any) -> None:
    town.show(fresh(400))
    town.prevented = {f"fresh{i:04}": Reason.BUSY for i in range(400)}
    filled = await town.offers.fill(book, town.call(2), first=True)
    assert (filled.offers, filled.missing) == ([], 2)
    assert filled.left_out == [(f"fresh{i:04}", Reason.BUSY) for i in range(MOST_LEFT_OUT)]
    assert len(town.decisions[0]["left_out"]) == MOST_LEFT_OUT
    assert [(type(fact), fact.missing) for fact in book.facts] == [(ShortfallDeclared, 2)]


async def test_it_is_looked_farther_until_enough_can_go(town: Town, book: Any) -> None:
    town.show(fresh(200))
    town.prevented = {f"fresh{i:04}": Reason.BUSY for i in range(150)}
    filled = await town.offers.fill(book, town.call(2), first=True)
    assert [row["unit"] for row in filled.offers] == ["fresh0150", "fresh0151"]
    assert FIRST_LOOK + 2 * 2 < 150 < sum(len(asked) for asked, _ in town.asked)
    asked = [unit for asked, _ in town.asked for unit in asked]
    assert len(asked) == len(set(asked))  # nobody twice


async def test_whom_another_incident_has_just_taken_is_left_out_as_taken(town: Town, book: Any) -> None:
    town.show(fresh(4))
    town.taken = {"fresh0000", "fresh0002"}
    filled = await town.offers.fill(book, town.call(2), first=True)
    assert [row["unit"] for row in filled.offers] == ["fresh0001", "fresh0003"]
    assert filled.left_out == [("fresh0000", Reason.TAKEN), ("fresh0002", Reason.TAKEN)]
    assert town.metric("dispatch_first_offers_total", nearest="exact") == 1


async def test_the_store_is_asked_with_the_fix_of_each_and_who_may_be_asked_again(
    monkeypatch: pytest.MonkeyPatch, book: Any
) -> None:
    town = Town(Rules(again_s=45))
    town.stand_in_for(monkeypatch)
    town.show([("a", 0, 7.0), ("b", 1, 0.0)])
    await town.offers.fill(book, town.call(), first=True)
    at = NOW.timestamp()
    assert town.asked == [({"a": at - 7, "b": at}, NOW - timedelta(seconds=45))]


# -- only members on duty --------------------------------------------------------------------------------------------


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town in which only members on duty are sent."""
    town = Town(Rules(speed_mps=1.0, speeds_mps={"car": 8.0}), check_nearest=True, enforced=True)
    town.stand_in_for(monkeypatch)
    return town


async def test_who_is_not_cleared_and_on_duty_is_left_out_with_trainings_own_words(strict: Town, book: Any) -> None:
    strict.show(fresh(4))
    strict.members = {
        "fresh0000": Standing("guard", "no_insurance"), "fresh0001": Standing("guard", Reason.OFF_DUTY),
        "fresh0003": Standing("guard"),
    }  # fmt: skip
    filled = await strict.offers.fill(book, strict.call(), first=True)
    assert [row["unit"] for row in filled.offers] == ["fresh0003"]
    assert filled.left_out == [
        ("fresh0000", "no_insurance"), ("fresh0001", Reason.OFF_DUTY), ("fresh0002", Reason.UNKNOWN_MEMBER),
    ]  # fmt: skip
    assert strict.decisions[0]["left_out"] == [
        {"unit": "fresh0000", "reason": "no_insurance"}, {"unit": "fresh0001", "reason": "off_duty"},
        {"unit": "fresh0002", "reason": "unknown_member"},
    ]  # fmt: skip
    assert strict.metric("dispatch_first_offers_total", nearest="exact") == 1


@pytest.mark.parametrize(("said", "known", "chosen"), [("car", "guard", "near"), ("walker", "car", "far")])
async def test_the_kind_that_training_knows_replaces_the_phones_own_word(
    strict: Town, book: Any, said: str, known: str, chosen: str
) -> None:
    strict.show([("near", 100, 0.0)])
    strict.show([("far", 400, 0.0)], kind=said)
    strict.members = {"near": Standing("guard"), "far": Standing(known)}
    filled = await strict.offers.fill(book, strict.call(), first=True)
    assert [row["unit"] for row in filled.offers] == [chosen]
    assert strict.metric("dispatch_first_offers_total", nearest="exact") == 1
    assert strict.metric("dispatch_first_offers_total", nearest="other") is None


async def test_where_training_names_no_kind_the_phones_word_is_what_there_is(strict: Town, book: Any) -> None:
    strict.show([("near", 100, 0.0)])
    strict.show([("far", 400, 0.0)], kind="car")
    strict.members = {"near": Standing(""), "far": Standing("")}
    filled = await strict.offers.fill(book, strict.call(), first=True)
    assert [row["unit"] for row in filled.offers] == ["far"]


async def test_behind_many_who_are_off_duty_the_one_on_duty_is_found(strict: Town, book: Any) -> None:
    strict.show(fresh(300))
    strict.members = {unit: Standing("guard", Reason.OFF_DUTY) for unit, *_ in fresh(299)}
    strict.members["fresh0299"] = Standing("guard")
    filled = await strict.offers.fill(book, strict.call(), first=True)
    assert [row["unit"] for row in filled.offers] == ["fresh0299"]
    assert len(filled.left_out) == MOST_LEFT_OUT
    assert strict.metric("dispatch_first_offers_total", nearest="exact") == 1


async def test_where_duty_is_ignored_training_is_not_asked(town: Town, book: Any) -> None:
    town.show(fresh(1))
    town.members = {"fresh0000": Standing("guard", "not_certified")}
    assert (await town.offers.fill(book, town.call(), first=True)).missing == 0


# -- trying again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("short_for_s", "wait_s"), [(0, 2), (8, 2), (40, 10), (3600, 60)])
async def test_an_incident_that_lacks_hands_is_tried_again_ever_less_often(
    town: Town, book: Any, short_for_s: float, wait_s: float
) -> None:
    opened_at = NOW - timedelta(seconds=short_for_s)
    call = town.call(2, status="reported", missing=2, opened_at=opened_at)
    filled = await town.offers.fill(book, call)
    assert filled.missing == 2
    assert town.incident == {"status": "reported", "missing": 2, "retry_at": NOW + timedelta(seconds=wait_s)}
    assert (book.facts, town.decisions) == ([], [])  # it was told before


async def test_a_shortfall_that_grows_or_shrinks_is_told(town: Town, book: Any) -> None:
    town.statuses = [Task.ACCEPTED, Task.DECLINED]
    await town.offers.fill(book, town.call(2, status="accepted", missing=0))
    await town.offers.fill(book, town.call(2, status="accepted", missing=2))
    assert [fact.missing for fact in book.facts] == [1, 1]
    assert [decision["missing"] for decision in town.decisions] == [1, 1]


async def test_with_all_hands_found_nothing_is_tried_again(town: Town, book: Any) -> None:
    town.show(fresh(1))
    town.statuses = [Task.COMPLETED]
    filled = await town.offers.fill(book, town.call(2, status="handling", missing=1))
    assert (len(filled.offers), filled.missing) == (1, 0)
    assert town.incident == {"status": str(Incident.HANDLING), "missing": 0, "retry_at": None}
    assert [type(fact) for fact in book.facts] == [TaskOffered]
