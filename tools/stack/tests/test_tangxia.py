import json
import random
from collections import Counter

import pytest

from shouwang.common.geo import distance_m
from shouwang.stack.drive import calling_s
from shouwang.stack.tangxia import (
    ARRIVED_M,
    BROKEN,
    COMMUNITIES,
    CREW,
    POST,
    POST_RADIUS_M,
    SORTS,
    TangxiaNight,
    night_calls,
)
from shouwang.stack.traces import wire_token

WALL0 = 1_800_000_000.0


def played(seconds: float, seed: int, until_s: float) -> list[tuple[str, bytes]]:
    night = TangxiaNight(seconds, seed)
    ticks = [*(tick / 50 for tick in range(int(until_s * 50) + 1)), until_s]
    return [report for at in ticks for report in night.reports(at, WALL0)]


def test_the_same_seed_gives_the_same_night() -> None:
    assert TangxiaNight(60, 7).night == TangxiaNight(60, 7).night
    assert TangxiaNight(60, 7).night != TangxiaNight(60, 8).night
    assert played(60, 7, 5) == played(60, 7, 5)
    assert played(60, 7, 2) != played(60, 8, 2)


def test_the_figures_of_the_programme() -> None:
    night = TangxiaNight(60, 1)
    assert Counter(member.kind for member in night.patrol.values()) == dict(CREW)
    assert sum(dict(CREW).values()) == 150
    assert set(COMMUNITIES) == {"陈宅", "赵宅", "韩田"}
    assert abs(3.14159 * POST_RADIUS_M**2 / 8_910_000 - 1) < 1e-3
    assert all(unit == wire_token(unit) for unit in night.patrol)
    assert "示例数据" in night.title


def test_everybody_reports_once_a_second_from_inside_the_area() -> None:
    night = TangxiaNight(60, 3)
    broken = {member.unit for member in night.patrol.values() if member.fault}
    reports = [(unit, body) for unit, body in played(60, 3, 9.9999) if unit not in broken]
    assert set(Counter(unit for unit, _ in reports).values()) == {10}
    for unit, body in reports:
        said = json.loads(body)
        assert distance_m(said["lat"], said["lon"], *POST) < POST_RADIUS_M + 20
        assert said["kind"] == night.patrol[unit].kind
        assert WALL0 <= said["time"] <= WALL0 + 10
        assert said["speed_mps"] <= 1.4 * 20


def test_nobody_moves_faster_than_sped_up_walking() -> None:
    night = TangxiaNight(60, 3)
    before: dict[str, tuple[float, float]] = {}
    for second in range(40):
        for dot in night.dots(float(second)):
            if dot.unit in before:
                assert distance_m(*before[dot.unit], dot.lat, dot.lon) <= 1.4 * 20 * 1.01
            before[dot.unit] = (dot.lat, dot.lon)


def test_each_broken_phone_is_refusable_in_its_own_way() -> None:
    night = TangxiaNight(60, 5)
    faults = {member.unit: member.fault for member in night.patrol.values() if member.fault}
    assert sorted(faults.values()) == sorted(BROKEN)
    sent: dict[str, list[bytes]] = {}
    for unit, body in played(60, 5, 5):
        sent.setdefault(unit, []).append(body)
    for unit, fault in faults.items():
        good, bad = sent[unit][3], sent[unit][4]
        if fault == "repeated":
            assert bad == good
        elif fault == "not_json":
            assert not bad.startswith(b"{")
        elif fault == "not_a_number":
            assert b'"lat":NaN' in bad
        elif fault == "latitude_91":
            assert json.loads(bad)["lat"] == 91
        else:
            ahead = json.loads(bad)["time"] - json.loads(good)["time"]
            assert {"old": ahead <= -600, "future": ahead >= 3600, "jump": 0 < ahead < 1}[fault]


def test_calls_follow_the_hours_and_the_kinds() -> None:
    calls = night_calls(20_000, random.Random(1))
    assert [at for at, _ in calls] == sorted(at for at, _ in calls)
    assert 0 <= calls[0][0] < calls[-1][0] < 1
    hours = Counter(int(19 + at * 9) % 24 for at, _ in calls)
    assert set(hours) == {19, 20, 21, 22, 23, 0, 1, 2, 3}
    assert min(hours[20], hours[21], hours[0], hours[1]) > 2 * max(hours[23], hours[3])
    late = [call for at, call in calls if at > 5 / 9]
    early = [call for at, call in calls if at < 3 / 9]
    brawls = [sum(call.kind == "public_order" for call in part) / len(part) for part in (early, late)]
    assert brawls[1] > 1.5 * brawls[0]
    assert Counter(call.needed for _, call in calls).most_common(1)[0][0] == 1
    assert {call.kind for _, call in calls} == {sort.kind for sort in SORTS}


def test_calls_are_synthetic_and_lie_in_the_area() -> None:
    for _, call in night_calls(500, random.Random(2)):
        assert isinstance(call.lat, float)
        assert isinstance(call.lon, float)
        assert distance_m(call.lat, call.lon, *POST) < POST_RADIUS_M + 1
        assert call.summary.endswith(" (示例)")
        assert call.summary[:2] in COMMUNITIES
        assert call.ref == wire_token(call.ref)
        assert call.outcome in {"settled", "case_opened", "transferred", "false", "no_trace"}
        assert call.priority in {"low", "normal", "high", "urgent"}


@pytest.mark.parametrize("seconds", [10, 20, 60, 600, 32_400])
def test_the_night_fits_into_any_length(seconds: float) -> None:
    night = TangxiaNight(seconds, 7)
    assert night.clock(0) == "19:00"
    assert night.clock(calling_s(seconds)) == "04:00" == night.clock(seconds)
    assert not list(night.calls(0.5))  # nobody is known yet
    assert len(list(night.calls(calling_s(seconds)))) == len(night.night) >= 12
    assert seconds - calling_s(seconds) >= min(8, 0.75 * seconds)


def test_who_is_called_goes_there_stays_and_returns() -> None:
    night = TangxiaNight(60, 7)
    unit, place = "guard-017", (POST[0] + 0.003, POST[1])
    walker = night.patrol[unit].walker
    in_s = night.go(unit, *place, 300.0, 10.0)
    assert in_s > 0
    assert distance_m(*walker.where(10.0 + in_s * 0.5), *place) > ARRIVED_M
    assert distance_m(*walker.where(10.0 + in_s), *place) <= ARRIVED_M
    assert distance_m(*walker.where(100.0), *place) < 1
    night.release(unit, 100.0)
    assert distance_m(*walker.where(110.0), *place) > 1
