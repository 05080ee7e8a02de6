"""Beds: who may share a room, until when one is held, how many are found; diets; cost for each."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.training.domain.days import at
from shouwang.training.domain.logistics import (
    Given,
    Held,
    Room,
    Sex,
    Sleeper,
    diets,
    evening_of,
    held_until,
    may_organise,
    may_share,
    per_head,
    plan_beds,
    sex_of,
)

DAY = date(2026, 12, 4)
F, M = Sex.FEMALE, Sex.MALE


def sleepers(sexes: str) -> list[Sleeper]:
    """`fm?` : a woman, a man, and somebody of whom it is not known."""
    known = {"f": F, "m": M}
    return [Sleeper(f"{n}{sex}", known.get(sex)) for n, sex in enumerate(sexes)]


# -- who -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(None, True), ("police_officer", True), ("community_officer", True), ("guard", False), ("teacher", False)],
)
def test_members_speak_for_themselves(kind: str | None, expected: bool) -> None:
    assert may_organise(kind) is expected


@pytest.mark.parametrize(
    ("id_number", "said", "expected"),
    [
        ("330381198505010028", None, F),  # the 17th digit is even
        ("330381198505010036", None, M),
        ("330381198505010036", "female", M),
        (None, "female", F),
        (None, None, None),
    ],
)
def test_the_identity_number_goes_before_what_was_said(
    id_number: str | None, said: str | None, expected: Sex | None
) -> None:
    assert sex_of(id_number, said) is expected


# -- until when ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clock", "days", "expected"), [("19:00", 0, 0), ("22:00", 0, 0), ("00:00", 1, 0), ("05:59", 1, 0), ("06:00", 1, 1)]
)
def test_a_patrol_after_midnight_belongs_to_the_evening_before(clock: str, days: int, expected: int) -> None:
    assert evening_of(at(DAY + timedelta(days=days), clock)) == DAY + timedelta(days=expected)


@pytest.mark.parametrize(
    ("nights", "expected"),
    [([], 0), ([-3], 0), ([-1], 0), ([0], 1), ([-2, 0], 1), ([0, 1], 1), ([5], 0)],
)
def test_the_day_of_rest_after_the_last_night_belongs_to_the_bed(nights: list[int], expected: int) -> None:
    assert held_until(DAY, [DAY + timedelta(days=n) for n in nights]) == DAY + timedelta(days=expected)


# -- rooms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("women_only", "sex", "others", "expected"),
    [
        (False, M, [], True),
        (False, M, [M], True),
        (False, M, [F], False),
        (False, M, [None], False),
        (False, F, [M], False),
        (True, F, [F], True),
        (True, M, [], False),
    ],
)
def test_women_and_men_never_share_a_room(women_only: bool, sex: Sex, others: list[Sex | None], expected: bool) -> None:
    assert may_share(Room("r", 4, women_only), sex, others) is expected


def test_everybody_gets_a_bed_while_there_are_some() -> None:
    rooms = [Room("101", 2), Room("102", 2), Room("201", 2, women_only=True)]
    given, left = plan_beds(sleepers("mffmf?mm"), rooms, [])
    assert given == [
        Given("0m", "101", 1),
        Given("1f", "201", 1),
        Given("2f", "201", 2),
        Given("3m", "101", 2),
        Given("4f", "102", 1),
    ]
    assert left == {"5?": "sex_unknown", "6m": "no_bed", "7m": "no_bed"}


def test_a_full_house_is_told_from_one_without_a_room_for_somebody() -> None:
    given, left = plan_beds(sleepers("mmf"), [Room("101", 1)], [])
    assert (given, left) == ([Given("0m", "101", 1)], {"1m": "no_bed", "2f": "no_room_for_women"})


def test_beds_that_others_hold_are_passed_over() -> None:
    given, _ = plan_beds(sleepers("m"), [Room("101", 3)], [Held("101", 1, M), Held("101", 3, M), Held("102", 2, F)])
    assert given == [Given("0m", "101", 2)]


@given(
    sexes=st.text("fm?", max_size=12),
    rooms=st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=4),
    held=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), unique=True, max_size=4),
)
def test_whatever_the_house_no_bed_is_given_twice_and_no_room_is_mixed(
    sexes: str, rooms: list[tuple[int, bool]], held: list[tuple[int, int]]
) -> None:
    house = [Room(str(n), beds, women_only) for n, (beds, women_only) in enumerate(rooms)]
    taken = [Held(str(room), bed, F if room % 2 else M) for room, bed in held]
    people = {sleeper.member: sleeper for sleeper in sleepers(sexes)}
    found, left = plan_beds(list(people.values()), house, taken)
    assert {one.member for one in found} | left.keys() == people.keys()
    beds = [(one.room, one.bed) for one in [*taken, *found]]
    assert len(beds) == len(set(beds))
    for room in house:
        here = {people[one.member].sex for one in found if one.room == room.room}
        assert len(here | {one.sex for one in taken if one.room == room.room and here}) <= 1
        assert all(one.bed <= room.beds for one in found if one.room == room.room)
        assert not (room.women_only and M in here)


# -- meals and cost --------------------------------------------------------------------------------------------------


def test_who_said_nothing_eats_what_everybody_eats() -> None:
    assert diets([None, "halal", "normal", "halal"]) == {"normal": 2, "halal": 2, "vegetarian": 0, "other": 0}


@pytest.mark.parametrize(
    ("total", "people", "expected"),
    [
        (19_600_000, 250, 78_400),
        (100, 3, 33),
        (200, 3, 67),
        (1, 2, 1),
        (-1, 2, 0),
        (0, 5, 0),
        (5, 0, None),
    ],
)
def test_cost_for_each_is_rounded_to_a_fen(total: int, people: int, expected: int | None) -> None:
    assert per_head(total, people) == expected
