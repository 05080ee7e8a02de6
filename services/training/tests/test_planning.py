"""Planning against exact small cases, against trying everything, and against the words of the law on random rosters."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.training.domain.clearance import may_stand
from shouwang.training.domain.days import at, minute
from shouwang.training.domain.people import (
    GUARD_CERTIFICATE,
    PATROL_CERTIFICATE,
    Agreement,
    Consent,
    GuardEntity,
    MemberKind,
    Period,
    Person,
)
from shouwang.training.domain.planning import (
    Candidate,
    Commitment,
    Plan,
    Status,
    Weights,
    Wish,
    blocks,
    plan,
)
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, RestRules, conflicts, held_by
from shouwang.training.domain.shifts import Organiser, Pay, Shift, ShiftKind, may_be_held

MONDAY = date(2026, 6, 1)
RULES = RestRules()
ALWAYS = (Period(date(2020, 1, 1)),)
HOUR = 60


# -- people and shifts -----------------------------------------------------------------------------------------------


def volunteer(member: str, organisation: str | None = None, **known: object) -> Person:
    """Somebody whom nothing keeps from a patrol."""
    person = Person(
        member,
        MemberKind.VILLAGER,
        born=date(1980, 1, 1),
        organisation=organisation,
        consents=frozenset({Consent.PATROL, Consent.TRACKING}),
        insured=ALWAYS,
        agreements=(Agreement(ALWAYS[0], risks_told=True),),
        certificates={PATROL_CERTIFICATE: ALWAYS},
    )
    return replace(person, **known)  # type: ignore[arg-type]


def guard(member: str, organisation: str, *, overtime: bool = False, **known: object) -> Person:
    """A guard of a company, who shares duty."""
    person = Person(
        member,
        MemberKind.GUARD,
        born=date(1980, 1, 1),
        organisation=organisation,
        entity=GuardEntity.GUARD_COMPANY,
        employer_consents=True,
        consents=frozenset(Consent),
        insured=ALWAYS,
        agreements=(Agreement(ALWAYS[0], risks_told=True, overtime_agreed=overtime),),
        certificates={GUARD_CERTIFICATE: ALWAYS},
    )
    return replace(person, **known)  # type: ignore[arg-type]


def patrol(name: str, day: int = 0, start: int = 22, hours: float = 4, minimum: int = 1, **known: object) -> Shift:
    """A night patrol so many days after the Monday, from a local hour on (24 and more: after midnight)."""
    begin = minute(at(MONDAY + timedelta(days=day), "00:00")) + start * HOUR
    shift = Shift(
        name,
        ShiftKind.NIGHT_PATROL,
        MONDAY + timedelta(days=day),
        begin,
        begin + int(hours * HOUR),
        lead_officer="p1",
        area="a1",
        minimum=minimum,
        maximum=max(minimum, 1),
    )
    return replace(shift, **known)  # type: ignore[arg-type]


def post(name: str, day: int = 0, start: int = 8, hours: float = 8, *, of: str = "o", **known: object) -> Shift:
    """A shift for wages on the post of an organisation."""
    own = replace(patrol(name, day, start, hours), kind=ShiftKind.OWN_POST, organiser=Organiser.EMPLOYER, pay=Pay.WAGE)
    return replace(own, **{"post_of": of, **known})  # type: ignore[arg-type]


def planned(
    shifts: Sequence[Shift], people: Iterable[Person | Candidate], *commitments: Commitment, **settings: object
) -> Plan:
    """A plan of people as they are, or with what is known of their time."""
    candidates = [person if isinstance(person, Candidate) else Candidate(person) for person in people]
    return plan(shifts, candidates, commitments, RULES, **{"limit_s": 5.0, **settings})  # type: ignore[arg-type]


def on(found: Plan, shift: str) -> list[str]:
    """Who is newly on a shift."""
    return sorted(member for name, member in found.chosen if name == shift)


def of(found: Plan, member: str) -> list[str]:
    """The shifts that somebody is newly on."""
    return sorted(name for name, who in found.chosen if who == member)


def why(found: Plan, shift: str) -> Mapping[Reason, int]:
    """Why a shift is short."""
    return next(short.why for short in found.unfilled if short.shift == shift)


# -- filling ---------------------------------------------------------------------------------------------------------


def test_one_person_for_one_place() -> None:
    found = planned([patrol("n")], [volunteer("a")])
    assert found.chosen == [("n", "a")]
    assert (found.unfilled, found.owed) == ([], {})
    figures = found.figures
    assert (figures.status, figures.places, figures.missing, figures.dropped) == (Status.OPTIMAL, 1, 0, 0)


def test_the_only_one_who_can_is_spared_for_what_only_they_can() -> None:
    """In order of time, whoever has served least would be used up on the first one."""
    trained = volunteer("a", certificates={PATROL_CERTIFICATE: ALWAYS, "first_aid": ALWAYS})
    shifts = [patrol("n1"), patrol("n2", start=27, requires=frozenset({"first_aid"}))]
    found = planned(shifts, [trained, Candidate(volunteer("b"), served_min=999)])
    assert (on(found, "n1"), on(found, "n2")) == (["b"], ["a"])


def test_a_minimum_is_enough_and_a_maximum_is_kept() -> None:
    found = planned([patrol("n", minimum=2, maximum=4)], [volunteer(f"v{n}") for n in range(9)])
    assert len(found.chosen) == 2


def test_places_of_like_shifts_are_missing_evenly() -> None:
    shifts = [patrol(f"n{area}", minimum=3, area=f"a{area}") for area in range(4)]
    found = planned(shifts, [volunteer(f"v{n}") for n in range(10)])
    assert sorted(len(on(found, shift.shift)) for shift in shifts) == [2, 2, 3, 3]
    assert found.figures.missing == sum(short.missing for short in found.unfilled) == 2


def test_a_shift_that_may_not_be_held_gets_nobody_and_says_why() -> None:
    found = planned([patrol("n", minimum=3, lead_officer=None, area=None)], [volunteer("a")])
    assert found.chosen == []
    assert why(found, "n") == {Reason.NO_LEAD_OFFICER: 3, Reason.NO_AREA: 3}
    assert (found.figures.places, found.figures.missing) == (3, 3)


def test_an_own_post_is_for_the_people_of_its_organisation() -> None:
    found = planned([post("p", of="o1", minimum=2, maximum=2)], [guard("a", "o1"), guard("b", "o2")])
    assert found.chosen == [("p", "a")]
    assert why(found, "p") == {Reason.OUTSIDE_OWN_AREA: 1}


# -- rules over a time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "chosen", "reason"),
    [
        (patrol("x", 0, 8), patrol("y", 0, 11), 1, Reason.DOUBLE_BOOKED),
        (patrol("x", 0, 8), patrol("y", 0, 19), 1, Reason.REST),
        (patrol("x", 0, 8), patrol("y", 0, 20), 2, None),
        (patrol("x", 0, 22), patrol("y", 1, 12), 1, Reason.REST),  # 22-02: eleven hours
        (patrol("x", 0, 22), patrol("y", 1, 13), 2, None),
        (post("x", 0, 0), post("y", 0, 20, 4), 1, Reason.OVER_DAY),
        (post("x", 0, 0), post("y", 0, 20, 4, pay=Pay.UNPAID), 2, None),  # what is given is not ordered
    ],
)
def test_two_shifts_of_one_person(first: Shift, second: Shift, chosen: int, reason: Reason | None) -> None:
    found = planned([first, second], [guard("a", "o")])
    assert len(found.chosen) == chosen
    assert [dict(short.why) for short in found.unfilled] == ([{reason: 1}] if reason else [])


@pytest.mark.parametrize(
    ("overtime", "shifts", "chosen"),
    [
        (False, [post(f"p{day}", day) for day in range(6)], 5),  # 44 h
        (True, [post(f"p{day}", day) for day in range(6)], 6),
        (True, [post(f"p{day}", day) for day in range(7)], 6),  # a day of rest
        (False, [patrol(f"p{day}", day) for day in range(7)], 0),  # guards need to be asked for nothing but patrols
        (False, [post("p", 0, hours=9)], 0),
        (True, [post("p", 0, hours=11)], 1),
        (True, [post("p", 0, hours=12)], 0),
        (True, [post(f"p{day}", day, hours=10) for day in range(28)], 22),
    ],
)
def test_hours_of_one_guard(overtime: bool, shifts: list[Shift], chosen: int) -> None:
    """The last row: 44 h a week and 36 h of overtime: four weeks of 50, 50, 60 and 60 h are 44 h of overtime."""
    assert len(planned(shifts, [guard("a", "o", overtime=overtime)]).chosen) == chosen


def test_who_agrees_to_overtime_within_a_week_is_held_to_it_from_then_on() -> None:
    """Before, their hours may not be part of a longer week: either the first days, or all the later ones."""
    agreements = (
        Agreement(Period(MONDAY, MONDAY + timedelta(days=1)), risks_told=True),
        Agreement(Period(MONDAY + timedelta(days=2)), risks_told=True, overtime_agreed=True),
    )
    shifts = [post(f"p{day}", day, hours=8 if day < 2 else 11) for day in range(7)]
    found = planned(shifts, [guard("a", "o", agreements=agreements)])
    assert of(found, "a") == ["p2", "p3", "p4", "p5", "p6"]
