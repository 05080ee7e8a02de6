"""Who goes: the soonest of those who can, the reason of everybody sooner, and when there is no need to look farther."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.common.geo import Near
from shouwang.dispatch.domain.choosing import Choice, Reason, Rules, Standing, choose, is_settled, soonest, why_not

NOW = 1_700_000_000.0
RULES = Rules(fresh_s=120, reach_m=10_000, speed_mps=1.0, speeds_mps={"bike": 4.0, "car": 8.0})
FREE = Standing("")


def near(unit: str, distance_m: float, age_s: float = 0.0) -> Near:
    return Near(unit, 27.7, 120.6, NOW - age_s, 1, distance_m)


def chosen(choice: Choice) -> list[str]:
    return [candidate.unit for candidate in choice.chosen]


# -- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "metres", "seconds"),
    [("", 100, 100), ("unheard-of", 100, 100), ("bike", 100, 25), ("car", 100, 12.5), ("car", 0, 0)],
)
def test_travel_time_is_distance_by_the_speed_of_the_kind(kind: str, metres: float, seconds: float) -> None:
    assert RULES.travel_s(kind, metres) == seconds


@pytest.mark.parametrize(
    ("speed", "speeds", "fastest"),
    [
        (1.3, {}, 1.3),
        (1.3, {"car": 8}, 8),
        (1.3, {"car": 8, "bike": 4}, 8),
        (9, {"car": 8}, 9),
        (1.3, {"slow": 0.5}, 1.3),
    ],
)
def test_the_fastest(speed: float, speeds: Mapping[str, float], fastest: float) -> None:
    assert Rules(speed_mps=speed, speeds_mps=speeds).fastest_mps == fastest


@pytest.mark.parametrize(
    ("short_for_s", "wait_s"),
    [(0, 2), (-5, 2), (8, 2), (12, 3), (40, 10), (236, 59), (240, 60), (86_400, 60)],
)
def test_who_lacks_hands_is_tried_again_soon_at_first_and_then_ever_less_often(
    short_for_s: float, wait_s: float
) -> None:
    assert Rules(retry_s=2).wait_s(short_for_s) == wait_s


def test_the_first_wait_is_the_setting() -> None:
    assert [Rules(retry_s=retry_s).wait_s(0) for retry_s in (0.1, 2, 30)] == [0.1, 2, 30]


@pytest.mark.parametrize(
    ("age_s", "prevented", "reason"),
    [
        (0, None, None),
        (-60, None, None),  # a clock that runs ahead
        (120, None, None),
        (120.001, None, Reason.SILENT),
        (0, Reason.BUSY, Reason.BUSY),
        (1e6, Reason.OFFLINE, Reason.OFFLINE),  # what is known beats what is guessed from age
        *((0, reason, reason) for reason in Reason),
    ],
)
def test_why_not(age_s: float, prevented: Reason | None, reason: Reason | None) -> None:
    assert why_not(near("a", 1, age_s), Standing("", prevented), NOW, RULES) is reason


def test_the_soonest_are_chosen_not_the_nearest() -> None:
    everybody = [near("walker", 300), near("bike", 1000), near("car", 2200)]
    standings = {"walker": FREE, "bike": Standing("bike"), "car": Standing("car")}
    choice = choose(everybody, standings, 2, NOW, RULES)
    assert (chosen(choice), choice.left_out, choice.horizon_s) == (["bike", "car"], [], 275)


def test_who_is_sooner_and_cannot_go_is_left_out_with_the_reason_and_who_is_later_is_not_mentioned() -> None:
    everybody = [near("a", 10), near("b", 20, age_s=500), near("c", 30), near("d", 40), near("e", 50)]
    standings = dict.fromkeys("bce", FREE) | {"a": Standing("", Reason.BUSY), "d": Standing("", Reason.DECLINED)}
    choice = choose(everybody, standings, 1, NOW, RULES)
    assert (chosen(choice), choice.left_out) == (["c"], [("a", Reason.BUSY), ("b", Reason.SILENT)])


def test_with_too_few_everybody_else_is_left_out_and_nothing_is_settled() -> None:
    choice = choose([near("a", 10), near("b", 20)], {"a": FREE, "b": Standing("", Reason.BUSY)}, 2, NOW, RULES)
    assert (chosen(choice), choice.left_out, choice.horizon_s) == (["a"], [("b", Reason.BUSY)], math.inf)
    assert not is_settled(choice, 1e9, RULES)
    assert is_settled(choice, math.inf, RULES)


def test_equal_times_go_by_name() -> None:
    everybody = [near("b", 40), near("a", 160), near("c", 40)]
    standings = {"a": Standing("bike"), "b": FREE, "c": FREE}
    assert chosen(choose(everybody, standings, 2, NOW, RULES)) == ["a", "b"]


@pytest.mark.parametrize(("needed", "expected"), [(0, []), (1, [])])
def test_nobody_near(needed: int, expected: list[str]) -> None:
    choice = choose([], {}, needed, NOW, RULES)
    assert (chosen(choice), choice.left_out, choice.horizon_s) == (expected, [], math.inf)


@pytest.mark.parametrize(
    ("horizon_s", "looked_to_m", "settled"),
    [(10, 80, True), (10, 79.9, False), (10, 81, True), (0, 0, True), (math.inf, 1e9, False)],
)
def test_is_settled_counts_with_the_fastest_kind(horizon_s: float, looked_to_m: float, settled: bool) -> None:
    assert is_settled(Choice([], [], horizon_s), looked_to_m, RULES) is settled


def test_soonest_is_the_least_travel_time_of_who_is_not_left_out() -> None:
    everybody = [near("a", 100), near("b", 400), near("c", 80)]
    kinds = {"b": "bike"}  # the others have not said theirs
    assert soonest(everybody, kinds, [], RULES) == 80
    assert soonest(everybody, kinds, ["c"], RULES) == 100
    assert soonest(everybody, kinds, ["a", "c", "never-seen"], RULES) == 100
    assert soonest(everybody, kinds, "abc", RULES) == math.inf
    assert soonest([], {}, [], RULES) == math.inf


# -- properties ------------------------------------------------------------------------------------------------------

Row = tuple[float, float, str, Reason | None]
KINDS = st.sampled_from(["", "walker", "bike", "car", "slow"])
SPEEDS = st.dictionaries(st.sampled_from(["walker", "bike", "car", "slow"]), st.floats(0.1, 40), max_size=4)
RULE_SETS = st.builds(lambda speed, speeds: Rules(120.0, 10_000.0, speed, speeds), st.floats(0.1, 40), SPEEDS)
DISTANCES = st.floats(0, 10_000) | st.integers(0, 20).map(lambda n: n * 100.0)
PREVENTED = st.none() | st.sampled_from(list(Reason))
CANDIDATES = st.lists(st.tuples(DISTANCES, st.sampled_from([0.0, 119.0, 121.0]), KINDS, PREVENTED), max_size=25)


def scene(rows: list[Row], tag: str = "u") -> tuple[list[Near], dict[str, Standing]]:
    everybody = [near(f"{tag}{i:02}", distance, age) for i, (distance, age, *_) in enumerate(rows)]
    standings = {f"{tag}{i:02}": Standing(kind, prevented) for i, (_, _, kind, prevented) in enumerate(rows)}
    return sorted(everybody, key=lambda n: (n.distance_m, n.unit)), standings


@given(CANDIDATES, st.integers(0, 6), RULE_SETS)
@settings(max_examples=120, deadline=None)
def test_chosen_are_the_soonest_who_can_go_and_left_out_exactly_those_sooner_who_cannot(
    rows: list[Row], needed: int, rules: Rules
) -> None:
    everybody, standings = scene(rows)
    choice = choose(everybody, standings, needed, NOW, rules)

    def rank(candidate: Near) -> tuple[float, str]:
        return rules.travel_s(standings[candidate.unit].kind, candidate.distance_m), candidate.unit

    reasons = {n.unit: why_not(n, standings[n.unit], NOW, rules) for n in everybody}
    able = sorted((n for n in everybody if reasons[n.unit] is None), key=rank)
    unable = sorted((n for n in everybody if reasons[n.unit] is not None), key=rank)
    assert choice.chosen == able[:needed]
    full = len(choice.chosen) == needed
    sooner = [n for n in unable if not full or (needed and rank(n) < rank(choice.chosen[-1]))]
    assert choice.left_out == [(n.unit, reasons[n.unit]) for n in sooner]
    assert choice.horizon_s == (rank(choice.chosen[-1])[0] if full and needed else math.inf)


@given(CANDIDATES.filter(len), CANDIDATES, st.integers(1, 4), RULE_SETS)
@settings(max_examples=150, deadline=None)
def test_once_settled_nobody_farther_away_can_change_the_choice(
    close: list[Row],
    far: list[Row],
    needed: int,
    rules: Rules,
) -> None:
    looked_at, standings = scene(close)
    choice = choose(looked_at, standings, needed, NOW, rules)
    edge = looked_at[-1].distance_m
    if not is_settled(choice, edge, rules):
        return
    beyond, others = scene([(edge + distance, *rest) for distance, *rest in far], tag="v")  # by name after those near
    assert choose([*looked_at, *beyond], {**standings, **others}, needed, NOW, rules) == choice
    everybody = [n for n in [*looked_at, *beyond] if why_not(n, {**standings, **others}[n.unit], NOW, rules) is None]
    first = choice.chosen[0]
    kinds = {unit: standing.kind for unit, standing in {**standings, **others}.items()}
    assert rules.travel_s(kinds[first.unit], first.distance_m) == soonest(everybody, kinds, [], rules)


@given(CANDIDATES, st.integers(1, 4), RULE_SETS)
@settings(max_examples=100, deadline=None)
def test_the_order_in_which_units_are_looked_at_does_not_matter(rows: list[Row], needed: int, rules: Rules) -> None:
    everybody, standings = scene(rows)
    assert choose(everybody[::-1], standings, needed, NOW, rules) == choose(everybody, standings, needed, NOW, rules)


@given(st.floats(0.01, 60), st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=100, deadline=None)
def test_a_wait_never_shrinks_and_keeps_within_its_bounds(retry_s: float, one: float, other: float) -> None:
    sooner, later = (Rules(retry_s=retry_s).wait_s(short_for_s) for short_for_s in sorted((one, other)))
    assert retry_s <= sooner <= later <= 60
