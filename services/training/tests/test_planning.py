"""Planning against exact small cases, against trying everything, and against the words of the law on random rosters."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from shouwang.training.domain.planning.answer import drop_broken, hand_out
from shouwang.training.domain.planning.case import make_case
from shouwang.training.domain.planning.draft import Draft
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, RestRules, held_by
from shouwang.training.domain.shifts import Organiser, Pay, Shift, ShiftKind

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
    found = plan(shifts, candidates, commitments, RULES, **{"limit_s": 5.0, **settings})  # type: ignore[arg-type]
    assert found.figures.dropped == 0, "the solver proposed what a rule forbids"
    return found


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
        (False, [patrol(f"p{day}", day) for day in range(7)], 6),  # what is given freely has no hours, but days
        (False, [post("p", 0, hours=9)], 0),
        (True, [post("p", 0, hours=11)], 1),
        (True, [post("p", 0, hours=12)], 0),
        (True, [post(f"p{day}", day, hours=10) for day in range(28)], 18),  # 36 h of overtime a month, two a day
        (True, [post(f"p{day}", day, hours=4) for day in range(28)], 24),
    ],
)
def test_hours_of_one_guard(overtime: bool, shifts: list[Shift], chosen: int) -> None:
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


@pytest.mark.parametrize(
    ("elsewhere", "shifts", "chosen"),
    [
        ([post("e", 0, 5, 3)], [post("p", 0, 16, 3), post("q", 0, 27, 3)], 1),  # 9 hours counted to one day
        ([post(f"e{day}", day) for day in range(5)], [post("p", 5, 8, 4), post("q", 5, 20, 4)], 1),  # 48 h
        ([patrol(f"e{day}", day) for day in range(5)], [patrol("p", 5), patrol("q", 6)], 1),  # seven days
        ([patrol(f"e{day}", day) for day in range(7)], [patrol("p", 0, 8), patrol("q", 7, 20)], 1),  # long broken
        ([patrol(f"e{day}", day, 8) for day in range(6)], [patrol("p", 0, 20, 3), patrol("q", 5, 20, 3)], 2),
    ],
)
def test_each_shift_fits_beside_what_is_held_but_not_all(
    elsewhere: list[Shift], shifts: list[Shift], chosen: int
) -> None:
    """Of these, two are never forbidden by each other alone, nor one by what is held, except where a week is broken."""
    found = planned(shifts, [Candidate(guard("a", "o"), held=tuple(map(held_by, elsewhere)))])
    assert len(found.chosen) == chosen


def test_what_holds_people_elsewhere_counts() -> None:
    elsewhere = held_by(post("other", 0, 14))
    night, next_day = patrol("n", 0, 22), patrol("d", 1, 8)
    found = planned([night, next_day], [Candidate(volunteer("a"), held=(elsewhere,))])
    assert found.chosen == [("d", "a")]
    assert why(found, "n") == {Reason.REST: 1}


# -- who is kept, who has declined, who has done enough --------------------------------------------------------------


def test_who_is_kept_stays_and_fills_a_place() -> None:
    """Whether `kept` says it, or what holds the person, or both; and whoever is no candidate fills one, too."""
    night = patrol("n", minimum=4, maximum=4)
    accepted = Candidate(volunteer("b"), held=(held_by(night),))
    found = planned([night], [volunteer("a"), accepted, volunteer("c")], kept={"n": ["b", "c", "stranger"]})
    assert found.chosen == [("n", "a")]
    assert (found.figures.places, found.unfilled) == (1, [])


def test_who_is_kept_is_held_by_it() -> None:
    shifts = [patrol("n", 0, 22), patrol("m", 0, 27)]
    found = planned(shifts, [volunteer("a")], kept={"n": ["a"]})
    assert found.chosen == []
    assert why(found, "m") == {Reason.REST: 1}


def test_who_is_kept_is_not_judged_again_and_a_full_shift_gets_nobody() -> None:
    left = volunteer("a", left_on=MONDAY)
    found = planned([patrol("n", minimum=1)], [left, volunteer("b"), volunteer("c")], kept={"n": ["a", "c"]})
    assert (found.chosen, found.unfilled) == ([], [])


def test_who_has_declined_is_never_chosen_again() -> None:
    shifts = [patrol(f"n{area}", minimum=1, area=f"a{area}") for area in range(2)]
    found = planned(shifts, [Candidate(volunteer("a"), declined=frozenset({"n0"}))])
    assert found.chosen == [("n1", "a")]
    assert why(found, "n0") == {Reason.DECLINED: 1}


@pytest.mark.parametrize(("most", "kept", "chosen"), [(None, 0, 4), (2, 0, 2), (2, 1, 1), (1, 1, 0), (0, 1, 0)])
def test_nobody_gets_more_shifts_than_they_may(most: int | None, kept: int, chosen: int) -> None:
    shifts = [patrol(f"n{day}", day) for day in range(4 + kept)]
    already = {shift.shift: ["a"] for shift in shifts[:kept]}
    found = planned(shifts, [Candidate(volunteer("a"), most=most)], kept=already)
    assert len(found.chosen) == chosen
    assert all(short.why == {Reason.COMMITMENT_MET: 1} for short in found.unfilled)


# -- commitments -----------------------------------------------------------------------------------------------------


def test_an_organisation_gives_what_it_promised_and_no_more() -> None:
    shifts = [patrol(f"n{day}", day) for day in range(4)]
    found = planned(shifts, [volunteer("a", "u"), volunteer("b", "u"), volunteer("c")], Commitment("u", 2))
    assert sum(member != "c" for _, member in found.chosen) == 2
    assert (found.owed, found.unfilled) == ({}, [])


def test_a_commitment_comes_before_fairness_and_takes_a_place_above_the_minimum() -> None:
    shifts = [patrol(f"n{day}", day, maximum=2) for day in range(2)]
    units = [Candidate(volunteer(f"m{n}", f"u{n}"), served_min=9_000) for n in range(3)]
    found = planned(shifts, [volunteer("free"), *units], *(Commitment(f"u{n}") for n in range(3)))
    assert sorted(member for _, member in found.chosen) == ["m0", "m1", "m2"]
    assert found.owed == {}


def test_a_minimum_comes_before_any_number_of_promised_shifts() -> None:
    """One long watch, or three short ones about it that nobody needs, but that would keep the promise."""
    short = [patrol(f"s{start}", 0, start, 1, minimum=0, maximum=1) for start in (2, 14, 23)]
    unit = volunteer("a", "u")
    assert len(planned(short, [unit], Commitment("u", 3)).chosen) == 3
    found = planned([patrol("long", 0, 8, 14), *short], [unit], Commitment("u", 3))
    assert found.chosen == [("long", "a")]
    assert found.owed == {"u": 2}


def test_a_maximum_comes_before_commitments() -> None:
    units = [volunteer(f"m{n}", f"u{n}") for n in range(3)]
    found = planned([patrol("n", maximum=2)], units, *(Commitment(f"u{n}") for n in range(3)))
    assert (len(found.chosen), len(found.owed), found.unfilled) == (2, 1, [])


def test_what_was_kept_counts_as_given_and_what_cannot_be_given_is_owed() -> None:
    shifts = [patrol(f"n{day}", day) for day in range(2)]
    people = [volunteer("a", "u"), volunteer("b", "v", barred=False, insured=())]
    found = planned(shifts, people, Commitment("u"), Commitment("v", 3), kept={"n0": ["a"]})
    assert found.chosen == []
    assert found.owed == {"v": 3}
    assert why(found, "n1") == {Reason.COMMITMENT_MET: 1, Reason.NO_INSURANCE: 1}


def test_own_posts_are_no_gift() -> None:
    found = planned([post(f"p{day}", day) for day in range(4)], [guard("a", "o")], Commitment("o"))
    assert len(found.chosen) == 4
    assert found.owed == {"o": 1}


# -- fairness and wishes ---------------------------------------------------------------------------------------------


def test_who_has_done_least_goes_first() -> None:
    people = [Candidate(volunteer(f"v{served}"), served_min=served * HOUR) for served in (8, 0, 4)]
    found = planned([patrol(f"n{day}", day) for day in range(3)], people)
    assert Counter(member for _, member in found.chosen) == {"v0": 2, "v4": 1}
    assert found.figures.spread_min == 0


def test_equal_people_get_equal_parts() -> None:
    people = [volunteer(f"v{n}") for n in range(5)]
    found = planned([patrol(f"n{day}", day, minimum=2) for day in range(10)], people)
    assert Counter(Counter(member for _, member in found.chosen).values()) == {4: 5}
    assert found.figures.status is Status.OPTIMAL


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        (Wish(), {"early", "late", "tuesday"}),
        (Wish(weekdays=frozenset({1})), {"tuesday"}),
        (Wish(hours=(22 * HOUR, 6 * HOUR)), {"late"}),
        (Wish(weekdays=frozenset({0}), hours=(8 * HOUR, 12 * HOUR)), {"early"}),
        (Wish(hours=(12 * HOUR, 13 * HOUR)), set()),
    ],
)
def test_a_wish_is_for_days_and_hours(wish: Wish, fits: set[str]) -> None:
    shifts = [patrol("early", 0, 8), patrol("late", 0, 22), patrol("tuesday", 1, 8)]
    assert {shift.shift for shift in shifts if wish.fits(shift)} == fits


def test_wishes_are_heard_where_they_cost_nobody_anything() -> None:
    early, late = Wish(hours=(8 * HOUR, 12 * HOUR)), Wish(hours=(20 * HOUR, 24 * HOUR))
    people = [
        Candidate(volunteer("a"), prefers=(late,)),
        Candidate(volunteer("b"), avoids=(early,), prefers=(early,)),  # what is avoided is not preferred
        Candidate(volunteer("c")),
        Candidate(volunteer("d"), prefers=(early,)),
    ]
    shifts = [patrol("e", 0, 8, minimum=2, maximum=2), patrol("l", 0, 20, minimum=2, maximum=2)]
    found = planned(shifts, people)
    assert (on(found, "e"), on(found, "l")) == (["c", "d"], ["a", "b"])


def test_a_wish_outweighs_odd_minutes_but_not_a_shift_of_difference() -> None:
    mondays = Wish(weekdays=frozenset({0}))
    night = [patrol("n")]
    keen = Candidate(volunteer("keen"), served_min=30, prefers=(mondays,))
    assert on(planned(night, [volunteer("idle"), keen]), "n") == ["keen"]
    assert on(planned(night, [volunteer("idle"), replace(keen, served_min=240)]), "n") == ["idle"]
    assert on(planned(night, [volunteer("idle"), keen], weights=Weights(wish_percent=0)), "n") == ["idle"]


# -- explaining ------------------------------------------------------------------------------------------------------


def test_everybody_who_is_not_on_a_short_shift_has_one_reason() -> None:
    night = patrol("n", minimum=9, maximum=9)
    people = [
        Candidate(volunteer("fit")),
        Candidate(volunteer("declined"), declined=frozenset({"n"})),
        Candidate(volunteer("untrained", certificates={})),
        Candidate(volunteer("untrained and declined", certificates={}), declined=frozenset({"n"})),
        Candidate(volunteer("tired"), held=(held_by(patrol("x", 0, 14)),)),
        Candidate(volunteer("elsewhere"), held=(held_by(patrol("y", 0, 23)),)),
        Candidate(volunteer("unit 1", "u")),
        Candidate(volunteer("unit 2", "u")),
        Candidate(volunteer("enough"), most=0),
        Candidate(volunteer("kept")),
    ]
    found = planned([night], people, Commitment("u"), kept={"n": ["kept"]})
    assert [(short.shift, short.missing) for short in found.unfilled] == [("n", 6)]
    assert why(found, "n") == {
        Reason.DECLINED: 1,
        Reason.NOT_CERTIFIED: 2,
        Reason.REST: 1,
        Reason.DOUBLE_BOOKED: 1,
        Reason.COMMITMENT_MET: 2,
    }


def test_who_is_kept_is_no_reason_even_if_they_may_not_stand_there_any_more() -> None:
    shifts = [patrol(f"n{area}", minimum=2, maximum=2, area=f"a{area}") for area in range(2)]
    found = planned(shifts, [volunteer("gone", left_on=MONDAY), volunteer("a", insured=())], kept={"n0": ["gone"]})
    assert why(found, "n0") == {Reason.NO_INSURANCE: 1}
    assert why(found, "n1") == {Reason.NO_INSURANCE: 1, Reason.DOUBLE_BOOKED: 1}


# -- a draft ---------------------------------------------------------------------------------------------------------


def test_above_a_minimum_nobody_stays_but_for_a_commitment() -> None:
    people = [
        Candidate(volunteer("busy"), served_min=60),
        Candidate(volunteer("idle")),
        Candidate(volunteer("unit", "u")),
    ]
    draft = Draft(make_case([patrol("n", minimum=2, maximum=3)], people, [Commitment("u")], RULES, {}))
    for person in range(3):
        draft.put(person, 0)
    draft.trim()
    assert draft.on == [set(), {0}, {0}]


def test_who_has_served_little_is_not_used_up_at_the_beginning() -> None:
    """Six nights with one person each, and a seventh with two: whoever stood on six has no day left in that week."""
    shifts = [*(patrol(f"n{day}", day) for day in range(6)), patrol("n6", 6, minimum=2)]
    people = [Candidate(volunteer("new")), Candidate(volunteer("old"), served_min=9_000)]
    case = make_case(shifts, people, [], RULES, {})
    in_turn = Draft(case)
    in_turn.fill()
    assert (in_turn.lacking(), blocks.start(case).lacking()) == (1, 0)


def test_a_shift_is_not_added_if_an_earlier_one_may_not_be_part_of_so_long_a_week() -> None:
    since = MONDAY + timedelta(days=1)
    agreements = (
        Agreement(Period(MONDAY, MONDAY), risks_told=True),
        Agreement(Period(since), risks_told=True, overtime_agreed=True),
    )
    shifts = [post(f"p{day}", day, hours=8 if day == 0 else 11) for day in range(5)]
    draft = Draft(make_case(shifts, [Candidate(guard("a", "o", agreements=agreements))], [], RULES, {}))
    for slot in range(1, 4):
        draft.put(0, slot)
    assert (draft.not_now(0, 0), draft.not_now(0, 4)) == (None, None)
    draft.put(0, 0)
    assert draft.not_now(0, 4) is Reason.OVER_WEEK


# -- impossible and empty --------------------------------------------------------------------------------------------


def test_nothing_to_do() -> None:
    assert planned([], []).chosen == planned([], [volunteer("a")], Commitment("u")).chosen == []
    assert planned([], [volunteer("a")], Commitment("u")).owed == {"u": 1}
    nobody = planned([patrol("n", minimum=2)], [])
    assert (nobody.chosen, nobody.unfilled[0].missing, why(nobody, "n")) == ([], 2, {})
    nowhere = planned([patrol("n")], [volunteer("a", insured=())])
    assert (nowhere.chosen, why(nowhere, "n")) == ([], {Reason.NO_INSURANCE: 1})
    assert nowhere.figures.status is Status.OPTIMAL
    assert planned([patrol("n", minimum=0, maximum=0)], [volunteer("a")]).chosen == []


@pytest.mark.parametrize(
    ("shifts", "people", "commitments", "kept", "told"),
    [
        ([patrol("n"), patrol("n", 1)], [], [], {}, "shift n is given twice"),
        ([], [volunteer("a"), volunteer("a")], [], {}, "member a is given twice"),
        ([], [], [Commitment("u"), Commitment("u")], {}, "organisation u is given twice"),
        ([], [], [Commitment("u", -1)], {}, "organisation u: -1 shifts"),
        ([patrol("n", minimum=3, maximum=2)], [], [], {}, "shift n: minimum 3, maximum 2"),
        ([patrol("n", minimum=-1)], [], [], {}, "shift n: minimum -1"),
        ([patrol("n", hours=0)], [], [], {}, "shift n ends before it starts"),
        ([patrol("n")], [volunteer("a")], [], {"m": ["a"]}, "unknown shifts"),
    ],
)
def test_nonsense_is_refused(
    shifts: list[Shift],
    people: list[Person],
    commitments: list[Commitment],
    kept: dict[str, list[str]],
    told: str,
) -> None:
    with pytest.raises(ValueError, match=told):
        planned(shifts, people, *commitments, kept=kept)


def test_without_time_the_simple_roster_is_left() -> None:
    shifts = [patrol(f"n{day}", day, minimum=3) for day in range(10)]
    found = planned(shifts, [volunteer(f"v{n}") for n in range(12)], limit_s=0.0)
    assert (len(found.chosen), found.unfilled) == (30, [])


# -- random rosters --------------------------------------------------------------------------------------------------

FLAWS: dict[str, dict[str, object]] = {
    "none": {},
    "untrained": {"certificates": {}},
    "uninsured": {"insured": ()},
    "minor": {"born": MONDAY - timedelta(days=17 * 365)},
    "nursing": {"night_protected_until": MONDAY + timedelta(days=30)},
    "left on Wednesday": {"left_on": MONDAY + timedelta(days=2)},
}


@st.composite
def a_shift(draw: st.DrawFn, number: int, days: int) -> Shift:
    make = draw(st.sampled_from([patrol, post]))
    minimum = draw(st.integers(0, 2))
    return make(
        f"s{number}",
        draw(st.integers(0, days - 1)),
        draw(st.sampled_from([0, 6, 8, 14, 16, 20, 22, 24])),
        draw(st.sampled_from([2, 4, 8, 10])),
        minimum=minimum,
        maximum=minimum + draw(st.integers(0, 1)),
    )


@st.composite
def a_candidate(draw: st.DrawFn, number: int, shifts: Sequence[Shift], days: int) -> Candidate:
    flaw = FLAWS[draw(st.sampled_from(["none", "none", "none", *FLAWS]))]
    organisation = draw(st.sampled_from(["o", "o", "u"]))
    if draw(st.booleans()):
        agreed_since = draw(
            st.sampled_from([date(2020, 1, 1), MONDAY + timedelta(days=2), MONDAY + timedelta(days=99)])
        )
        before = Agreement(Period(date(2020, 1, 1), agreed_since - timedelta(days=1)), risks_told=True)
        after = Agreement(Period(agreed_since), risks_told=True, overtime_agreed=True)
        person = guard(f"m{number}", organisation, agreements=(before, after), **flaw)
    else:
        person = volunteer(f"m{number}", organisation, **flaw)
    elsewhere = draw(a_shift(100 + number, days))
    names = [shift.shift for shift in shifts]
    return Candidate(
        person,
        held=(held_by(elsewhere),) if draw(st.booleans()) else (),
        served_min=draw(st.sampled_from([0, 100, 480])),
        most=draw(st.sampled_from([None, None, 0, 1, 2])),
        prefers=(Wish(weekdays=frozenset({0})),) if draw(st.booleans()) else (),
        declined=frozenset(draw(st.lists(st.sampled_from(names), max_size=1))) if names else frozenset(),
    )


Roster = tuple[list[Shift], list[Candidate], list[Commitment]]


@st.composite
def rosters(draw: st.DrawFn, shifts: int, people: int, days: int) -> Roster:
    some = [draw(a_shift(n, days)) for n in range(draw(st.integers(1, shifts)))]
    everybody = [draw(a_candidate(n, some, days)) for n in range(draw(st.integers(1, people)))]
    promised = draw(st.sampled_from([[], [Commitment("u", 1)], [Commitment("u", 2), Commitment("o", 1)]]))
    return some, everybody, promised


def night(span: Shift | Held, first: int, last: int) -> bool:
    """Whether it touches local hours, minute by minute (`last` above 24 is after midnight)."""
    hours = {hour % 24 for hour in range(first, last)}
    return any((minute // HOUR + 8) % 24 in hours for minute in range(span.start, span.end))


def fit(candidate: Candidate, shift: Shift) -> bool:
    """By the words: trained, insured, of age, still a member, protected at night; own posts for the own people."""
    person, flaws = candidate.person, FLAWS
    own_post = shift.kind is ShiftKind.OWN_POST
    if shift.shift in candidate.declined or (own_post and shift.post_of != person.organisation):
        return False
    ends = datetime.fromtimestamp((shift.end - 1) * 60, timezone(timedelta(hours=8))).date()
    if person.left_on is not None and max(shift.duty_date, ends) >= person.left_on:  # a night ends on the day after
        return False
    if person.night_protected_until is not None and night(shift, 22, 30):
        return False
    minor = person.born == flaws["minor"]["born"]
    if own_post:
        return not minor and bool(person.certificates or not person.is_guard)
    return not minor and bool(person.certificates) and bool(person.insured)


def rested(times: Sequence[Held]) -> bool:
    """By the words: eight hours between two shifts, eleven after any minute of 0-5; a day of the week free."""
    for one, other in itertools.combinations(sorted(times, key=lambda held: (held.start, held.end)), 2):
        if other.start - one.end < (11 if night(one, 0, 5) else 8) * HOUR:
            return False
    weeks = Counter(day - timedelta(days=day.weekday()) for day in {held.duty_date for held in times})
    return max(weeks.values(), default=0) <= 6


def within_hours(ordered: Shift, times: Sequence[Held], overtime: bool) -> bool:
    """By the words: 8 hours of ordered work a day, 44 a week; with overtime agreed 3 more a day, and any week."""
    week = ordered.duty_date.isocalendar()[:2]
    today = sum(held.end - held.start for held in times if held.ordered and held.duty_date == ordered.duty_date)
    this_week = sum(
        held.end - held.start for held in times if held.ordered and held.duty_date.isocalendar()[:2] == week
    )
    return today <= (11 if overtime else 8) * HOUR and (overtime or this_week <= 44 * HOUR)


def lawful(candidate: Candidate, mine: Sequence[Shift]) -> bool:
    """Whether somebody may have all of these beside what holds them."""
    if len(mine) > (99 if candidate.most is None else candidate.most):
        return False
    times = [*candidate.held, *map(held_by, mine)]
    return (
        all(fit(candidate, shift) for shift in mine)
        and rested(times)
        and all(within_hours(shift, times, agreed(candidate, shift)) for shift in mine if shift.pay is Pay.WAGE)
    )


def agreed(candidate: Candidate, shift: Shift) -> bool:
    """Whether overtime was agreed to by the day; never for who is protected."""
    agreements, protected = candidate.person.agreements, candidate.person.night_protected_until
    if protected is not None and shift.duty_date <= protected:
        return False
    return any(agreement.overtime_agreed and agreement.period.since <= shift.duty_date for agreement in agreements)


def check(roster: Roster, found: Plan) -> None:
    """That nothing in a plan is forbidden, and that its words about what lacks are true."""
    shifts, people, commitments = roster
    by_name = {shift.shift: shift for shift in shifts}
    assert len(set(found.chosen)) == len(found.chosen)
    for candidate in people:
        assert lawful(candidate, [by_name[name] for name in of(found, candidate.member)]), candidate.member
    for commitment in commitments:
        assert gifts(roster, found, commitment.organisation) <= commitment.shifts
        assert found.owed.get(commitment.organisation, 0) == commitment.shifts - gifts(
            roster, found, commitment.organisation
        )
    short = {unfilled.shift: unfilled for unfilled in found.unfilled}
    for shift in shifts:
        standing = len(on(found, shift.shift))
        assert standing <= shift.maximum
        assert (short[shift.shift].missing if shift.shift in short else 0) == max(0, shift.minimum - standing)
        if shift.shift in short:
            assert sum(short[shift.shift].why.values()) == len(people) - standing


def gifts(roster: Roster, found: Plan, organisation: str) -> int:
    """Shifts that are no own posts, by people of an organisation."""
    shifts, people, _ = roster
    members = {candidate.member for candidate in people if candidate.person.organisation == organisation}
    patrols = {shift.shift for shift in shifts if shift.kind is not ShiftKind.OWN_POST}
    return sum(name in patrols and member in members for name, member in found.chosen)


def least(roster: Roster) -> tuple[int, int]:
    """Places missing and commitments owed in the best of all rosters, by trying every one of them."""
    shifts, people, commitments = roster
    promised = {commitment.organisation: commitment.shifts for commitment in commitments}
    reached = {(tuple(0 for _ in shifts), tuple(0 for _ in commitments))}
    for candidate in people:
        reached = {
            (
                tuple(count + (shift in mine) for count, shift in zip(counts, shifts, strict=True)),
                tuple(
                    gift
                    + (candidate.person.organisation == name and sum(s.kind is not ShiftKind.OWN_POST for s in mine))
                    for gift, name in zip(gifts, promised, strict=True)
                ),
            )
            for counts, gifts in reached
            for size in range(len(shifts) + 1)
            for mine in itertools.combinations(shifts, size)
            if lawful(candidate, mine)
        }
    return min(
        (
            sum(max(0, shift.minimum - count) for shift, count in zip(shifts, counts, strict=True)),
            sum(promised.values()) - sum(gifts),
        )
        for counts, gifts in reached
        if all(count <= shift.maximum for shift, count in zip(shifts, counts, strict=True))
        and all(gift <= most for gift, most in zip(gifts, promised.values(), strict=True))
    )


@settings(max_examples=300, deadline=None)
@given(rosters(shifts=4, people=4, days=3))
def test_no_roster_fills_more_or_keeps_more_promises(roster: Roster) -> None:
    shifts, people, commitments = roster
    found = planned(shifts, people, *commitments)
    check(roster, found)
    assert (found.figures.missing, sum(found.owed.values())) == least(roster)
    assert found.figures.status is Status.OPTIMAL


@settings(max_examples=100, deadline=None)
@given(rosters(shifts=14, people=8, days=9))
def test_a_plan_breaks_no_rule(roster: Roster) -> None:
    shifts, people, commitments = roster
    check(roster, planned(shifts, people, *commitments))


@settings(max_examples=50, deadline=None)
@given(rosters(shifts=14, people=8, days=9))
def test_a_plan_made_block_by_block_breaks_no_rule_either(roster: Roster) -> None:
    shifts, people, commitments = roster
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "AT_ONCE", 0)
        patch.setattr(blocks, "FILLING", 3)
        check(roster, planned(shifts, people, *commitments, limit_s=0.5))


@settings(max_examples=100, deadline=None)
@given(rosters(shifts=14, people=8, days=9))
def test_the_roster_that_the_solver_starts_from_breaks_no_rule(roster: Roster) -> None:
    shifts, people, commitments = roster
    case = make_case(shifts, people, commitments, RULES, {})
    draft = blocks.start(case)
    assert drop_broken(case, shifts, hand_out(draft)) == 0


@settings(max_examples=30, deadline=None)
@given(rosters(shifts=8, people=6, days=7))
def test_the_same_again_is_the_same(roster: Roster) -> None:
    shifts, people, commitments = roster
    assert planned(shifts, people, *commitments) == planned(shifts, people, *commitments)
