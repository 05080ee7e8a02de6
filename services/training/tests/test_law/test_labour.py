"""Hours: each block of 劳动法 for what an employer orders and pays; rest, for everything."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from shouwang.training.domain.clearance import may_stand
from shouwang.training.domain.days import LOCAL, at
from shouwang.training.domain.people import Agreement, Person
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, RestRules, conflicts, held_by
from shouwang.training.domain.shifts import Pay, ShiftKind
from shouwang.training.places import forbids

from .made import DAY, FOREVER, days_from, guard, own_post, shift, volunteer

MONDAY = date(2027, 2, 1)
RULES = RestRules()


def work(day: date, hours: float, *, begins: str = "08:00", pay: Pay = Pay.WAGE) -> Held:
    """Ordered work at one's own post."""
    end = at(day, begins) + timedelta(hours=hours)
    return held_by(own_post(day=day, start=begins, end=f"{end.astimezone(LOCAL):%H:%M}", pay=pay))


def verdict(days: list[Held], *, agreed: bool = False) -> list[Reason]:
    """What forbids the last of some work, the others being held already."""
    return conflicts(days[-1], days[:-1], RULES, overtime_agreed=agreed)


# -- a day -----------------------------------------------------------------------------------------------------------


def test_eight_hours_a_day__labour_law_art_36() -> None:
    """劳动法 第36条."""
    assert verdict([work(DAY, 8)]) == []
    assert verdict([work(DAY, 8 + 1 / 60)]) == [Reason.OVER_DAY]


def test_three_hours_of_overtime_a_day_after_agreement__labour_law_art_41() -> None:
    """劳动法 第41条: an 8 hour job and 4 hours of ordered patrol are one too many."""
    assert verdict([work(DAY, 11)], agreed=True) == []
    assert verdict([work(DAY, 12)], agreed=True) == [Reason.OVER_DAY]
    assert Reason.OVER_DAY in verdict([work(DAY, 8), work(DAY, 4, begins="19:00")], agreed=True)


def test_a_night_is_work_of_the_day_it_is_counted_to__labour_law_art_36() -> None:
    """劳动法 第36条: midnight does not make two short days of a long one."""
    assert verdict([work(DAY, 9, begins="19:00")]) == [Reason.OVER_DAY]


@pytest.mark.parametrize("pay", [Pay.UNPAID, Pay.ALLOWANCE])
def test_what_is_given_freely_is_not_working_time__labour_law_art_36(pay: Pay) -> None:
    """劳动法 第36条: a patrol after work is no overtime, as long as nobody ordered and paid it."""
    assert verdict([work(DAY, 8), work(DAY + timedelta(days=1), 10, pay=pay)]) == []
    assert verdict([work(DAY, 12, pay=pay)]) == []


# -- a week ----------------------------------------------------------------------------------------------------------


def test_44_hours_a_week__labour_law_art_36() -> None:
    """劳动法 第36条: Monday to Sunday."""
    week = [work(day, 8) for day in days_from(MONDAY, 5)]
    assert verdict([*week, work(MONDAY + timedelta(days=5), 4)]) == []
    assert verdict([*week, work(MONDAY + timedelta(days=5), 5)]) == [Reason.OVER_WEEK]
    assert verdict([*week, work(MONDAY + timedelta(days=7), 8)]) == []


@pytest.mark.parametrize("pay", Pay)
def test_one_day_of_rest_a_week__labour_law_art_38(pay: Pay) -> None:
    """劳动法 第38条; for everything that one is held for, since nobody sleeps while helping neighbours."""
    week = [work(day, 4, pay=pay) for day in days_from(MONDAY, 7)]
    assert verdict(week[:6]) == []
    assert verdict(week) == [Reason.REST_DAY]
    for free in range(7):  # any day of the seven will do
        rest = [*week[:free], *week[free + 1 :]]
        assert verdict(rest) == []


def test_twelve_days_between_two_days_of_rest__labour_law_art_38() -> None:
    """劳动法 第38条: one in each week, not one every seven days."""
    days = days_from(MONDAY + timedelta(days=1), 12)  # Tuesday to the Saturday after the next Sunday
    assert verdict([work(day, 4) for day in days]) == []
    assert verdict([work(day, 4) for day in [*days, MONDAY]]) == [Reason.REST_DAY]


def test_two_shifts_of_a_day_are_one_day_of_duty__labour_law_art_38() -> None:
    """劳动法 第38条."""
    week = [work(day, 2) for day in days_from(MONDAY, 6)]
    assert verdict([*week, work(MONDAY, 2, begins="18:00")]) == []


# -- a month ---------------------------------------------------------------------------------------------------------


def test_36_hours_of_overtime_a_month__labour_law_art_41() -> None:
    """劳动法 第41条: three hours a day, twelve days of the month, and not a minute of the thirteenth."""
    days = [day for day in days_from(MONDAY, 28) if day.weekday() < 3][:12]
    month = [work(day, 11) for day in days]
    assert verdict(month, agreed=True) == []
    assert verdict([*month, work(date(2027, 2, 25), 8 + 1 / 60)], agreed=True) == [Reason.OVER_MONTH]
    assert verdict([*month, work(date(2027, 3, 1), 11)], agreed=True) == []


def test_hours_beyond_the_week_are_overtime_too__labour_law_art_41() -> None:
    """劳动法 第36、41条: six days of ten hours are sixteen hours of overtime, twelve of them by the day."""
    weeks = [[work(day, 10) for day in days_from(monday, 6)] for monday in days_from(MONDAY, 28)[::7]]
    assert verdict(weeks[0] + weeks[1], agreed=True) == []
    assert verdict(weeks[0] + weeks[1] + weeks[2], agreed=True) == [Reason.OVER_MONTH]


def test_overtime_of_long_days_and_of_long_weeks_adds_up__labour_law_art_41() -> None:
    """劳动法 第36、41条: two weeks with 5 x 11 h (15 h of overtime each) and two with 6 x 8 h (4 h each) are 38 h."""
    mondays = days_from(MONDAY, 28)[::7]
    long_days = [work(day, 11) for monday in mondays[:2] for day in days_from(monday, 5)]
    long_weeks = [work(day, 8) for monday in mondays[2:] for day in days_from(monday, 6)]
    assert verdict(long_days + long_weeks[:6], agreed=True) == []  # 34 h
    assert verdict(long_days + long_weeks, agreed=True) == [Reason.OVER_MONTH]


def test_a_week_across_two_months_is_still_a_week__labour_law_art_41() -> None:
    """劳动法 第36、41条: the hours beyond 44 are overtime, whichever month they are counted to.

    1 April 2027 is a Thursday: six days of eight hours in that week are four hours of overtime. March and April both
    have their 36 hours already, so that there is no room for them anywhere.
    """
    mondays = [monday for monday in days_from(date(2027, 3, 1), 62)[::7] if monday != (across := date(2027, 3, 29))]
    full = [work(day, 11) for monday in mondays[:8] for day in days_from(monday, 3)]
    week = [work(day, 8) for day in days_from(across, 6)]
    assert all(conflicts(day, [*full, *week[:3]], RULES, overtime_agreed=True) == [] for day in week[:3])
    found = [conflicts(day, [*full, *week], RULES, overtime_agreed=True) for day in week]
    assert [Reason.OVER_MONTH] in found


# -- who is protected ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [volunteer(), guard()])
@pytest.mark.parametrize(
    ("start", "end", "allowed"),
    [
        ("18:00", "22:00", True),
        ("18:00", "22:01", False),
        ("22:00", "02:00", False),
        ("05:59", "08:00", False),
        ("06:00", "10:00", True),
        ("21:00", "07:00", False),  # over the whole night
    ],
)
def test_no_night_duty_in_late_pregnancy_or_while_nursing__labour_law_art_61(
    person: Person, start: str, end: str, allowed: bool
) -> None:
    """劳动法 第61、63条: 22:00-06:00, until the day that was said; why is nobody's business."""
    protected = replace(person, night_protected_until=DAY)
    assert may_stand(protected, shift(start=start, end=end)) == ([] if allowed else [Reason.NIGHT_PROTECTED])
    later = shift(day=DAY + timedelta(days=1), start=start, end=end)
    assert may_stand(protected, later) == []


@pytest.mark.parametrize("kind", ShiftKind)
def test_the_protection_holds_for_every_kind_of_shift__labour_law_art_63(kind: ShiftKind) -> None:
    """劳动法 第61、63条."""
    protected = guard(night_protected_until=DAY)
    night = shift(kind, start="22:00", end="02:00", post_of=protected.organisation)
    assert may_stand(protected, night) == [Reason.NIGHT_PROTECTED]


def test_no_overtime_in_late_pregnancy_or_while_nursing__labour_law_art_61() -> None:
    """劳动法 第61、63条: no longer days either, whatever was agreed before."""
    agreed = guard(agreements=(Agreement(FOREVER, risks_told=True, overtime_agreed=True),))
    protected, long_day = replace(agreed, night_protected_until=DAY), as_row(hours=11)
    assert forbids(agreed, long_day, [], RULES) == []
    assert forbids(protected, as_row(hours=8), [], RULES) == []
    assert Reason.OVER_DAY in forbids(protected, long_day, [], RULES)


def test_overtime_needs_an_agreement_of_that_day__labour_law_art_41() -> None:
    """劳动法 第41条: 经与工会和劳动者协商."""
    agreed = guard(agreements=(Agreement(FOREVER, risks_told=True, overtime_agreed=True),))
    assert forbids(agreed, as_row(hours=11), [], RULES) == []
    assert forbids(guard(), as_row(hours=11), [], RULES) == [Reason.OVER_DAY]


def as_row(*, hours: int) -> Any:
    """Ordered work of the day at one's own post, as the store has it."""
    begins = at(DAY, "08:00")
    lawful = {"lead_officer": None, "area": None, "organiser": "employer", "purpose": "prevention", "insurance": None}
    times = {"duty_date": DAY, "starts_at": begins, "ends_at": begins + timedelta(hours=hours)}
    rest = {"client_contract": None, "post_of": guard().organisation, "at_school": False, "requires": []}
    about = {"id": "work", "kind": "own_post", "pay": "wage", "minimum": 1, "maximum": 1}
    return SimpleNamespace(**lawful, **times, **rest, **about)
