"""Which fixes count, as tables: place and time that can be, then old, repeated and jump."""

import math

import numpy as np
import pytest

from shouwang.common.geo import distance_m
from shouwang.location.domain.fixes import Fixes, Limits, Verdict, judge, possible

NOW = 1_700_000_000.0
LIMITS = Limits(future_s=60, max_age_s=600, max_speed_mps=70, jump_m=300)
NOWHERE = (math.nan, math.nan, -math.inf)
HERE = (27.7, 120.6)
NAN = math.nan


def fixes(*rows: tuple[float, float, float]) -> Fixes:
    return Fixes(*np.array(rows, dtype=np.float64).T)


def north(metres: float) -> tuple[float, float]:
    """The place so many metres north of HERE."""
    return HERE[0] + metres / distance_m(*HERE, HERE[0] + 1, HERE[1]), HERE[1]


def verdict(
    fix: tuple[float, float, float],
    known: tuple[float, float, float] = NOWHERE,
    suspect: tuple[float, float, float] = NOWHERE,
) -> Verdict:
    return Verdict(int(judge(fixes(fix), fixes(known), fixes(suspect), NOW, LIMITS)[0]))


@pytest.mark.parametrize(
    ("lat", "lon", "age_s", "can_be"),
    [
        (27.7, 120.6, 0, True),
        (90, 180, 0, True),
        (-90, -180, 0, True),
        (np.nextafter(90, 91), 0, 0, False),
        (np.nextafter(-90, -91), 0, 0, False),
        (0, np.nextafter(180, 181), 0, False),
        (0, np.nextafter(-180, -181), 0, False),
        (0, 0, 0, True),
        (NAN, 120.6, 0, False),
        (27.7, NAN, 0, False),
        (27.7, 120.6, NAN, False),
        (math.inf, 120.6, 0, False),
        (27.7, -math.inf, 0, False),
        (27.7, 120.6, -60, True),  # a phone's clock may run ahead by so much
        (27.7, 120.6, -60.001, False),
        (27.7, 120.6, -math.inf, False),
        (27.7, 120.6, math.inf, False),
        (27.7, 120.6, NOW, True),  # 1970: can be, but is old
        (27.7, 120.6, NOW + 0.001, False),
        (27.7, 120.6, NOW - 1000 * NOW, False),  # milliseconds taken for seconds
    ],
)
def test_a_place_on_earth_at_a_time_that_can_be(lat: float, lon: float, age_s: float, can_be: bool) -> None:
    assert bool(possible(fixes((lat, lon, NOW - age_s)), NOW, LIMITS)[0]) is can_be


@pytest.mark.parametrize(
    ("age_s", "known_age_s", "expected"),
    [
        (0, None, Verdict.ACCEPTED),
        (-60, None, Verdict.ACCEPTED),
        (600, None, Verdict.ACCEPTED),
        (600.001, None, Verdict.OLD),
        (5, 10, Verdict.ACCEPTED),
        (9.999, 10, Verdict.ACCEPTED),
        (10, 10, Verdict.REPEATED),
        (10.001, 10, Verdict.OLD),
        (0, -30, Verdict.OLD),  # one fix from a clock ahead keeps the next ones out for as long as it was ahead
        (700, 700, Verdict.REPEATED),  # the very fix that is known is told apart from a late one, however old
        (650, 700, Verdict.OLD),
    ],
)
def test_age(age_s: float, known_age_s: float | None, expected: Verdict) -> None:
    known = NOWHERE if known_age_s is None else (*HERE, NOW - known_age_s)
    assert verdict((*HERE, NOW - age_s), known) is expected


@pytest.mark.parametrize(
    ("metres", "seconds", "expected"),
    [
        (299, 0.1, Verdict.ACCEPTED),  # noise between houses
        (301, 0.1, Verdict.JUMP),
        (301, 4.2, Verdict.JUMP),
        (301, 4.4, Verdict.ACCEPTED),  # 70 m/s
        (20_000, 280, Verdict.JUMP),
        (20_000, 290, Verdict.ACCEPTED),
    ],
)
def test_nobody_moves_so_fast(metres: float, seconds: float, expected: Verdict) -> None:
    assert verdict((*north(metres), NOW), (*HERE, NOW - seconds)) is expected


def test_a_second_fix_that_agrees_with_the_jump_is_believed() -> None:
    known, suspect = (*HERE, NOW - 20), (*north(5000), NOW - 10)
    assert verdict((*north(5100), NOW), known, suspect) is Verdict.ACCEPTED
    assert verdict((*north(9000), NOW), known, suspect) is Verdict.JUMP
    assert verdict((*north(100), NOW), known, suspect) is Verdict.ACCEPTED  # the wild one was the jump


def test_an_agreeing_fix_may_be_older_than_the_suspect_but_not_than_the_known() -> None:
    known, suspect = (*HERE, NOW - 20), (*north(5000), NOW)
    assert verdict((*north(5000), NOW - 10), known, suspect) is Verdict.ACCEPTED
    assert verdict((*north(4400), NOW - 10), known, suspect) is Verdict.ACCEPTED  # 600 m in 10 s, backwards
    assert verdict((*north(4200), NOW - 10), known, suspect) is Verdict.JUMP
    assert verdict((*north(5000), NOW - 21), known, suspect) is Verdict.OLD


def test_being_repeated_or_old_is_said_before_being_a_jump() -> None:
    known = (*HERE, NOW - 5)
    assert verdict((*north(5000), NOW - 5), known) is Verdict.REPEATED
    assert verdict((*north(5000), NOW - 6), known) is Verdict.OLD


def test_a_step_across_the_antimeridian_or_a_pole_is_a_step() -> None:
    assert verdict((0.0, -179.9995, NOW), (0.0, 179.9995, NOW - 1)) is Verdict.ACCEPTED
    assert verdict((89.9995, 180.0, NOW), (89.9995, 0.0, NOW - 1)) is Verdict.ACCEPTED
    assert verdict((90.0, -180.0, NOW), (90.0, 180.0, NOW - 1)) is Verdict.ACCEPTED


def test_a_batch_is_judged_row_by_row() -> None:
    rows = fixes((*HERE, NOW), (*north(5000), NOW), (*HERE, NOW - 9), (*HERE, NOW - 5), (*HERE, NOW - 601))
    known = fixes(*[(*HERE, NOW - 5)] * 4, NOWHERE)
    expected = [Verdict.ACCEPTED, Verdict.JUMP, Verdict.OLD, Verdict.REPEATED, Verdict.OLD]
    assert judge(rows, known, fixes(*[NOWHERE] * 5), NOW, LIMITS).tolist() == expected


def test_an_empty_batch() -> None:
    nobody = Fixes(np.empty(0), np.empty(0), np.empty(0))
    assert possible(nobody, NOW, LIMITS).shape == judge(nobody, nobody, nobody, NOW, LIMITS).shape == (0,)
