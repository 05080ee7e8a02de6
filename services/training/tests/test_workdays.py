"""Working days against dates that are known: make-up days of 2018, holidays on the way, years nobody knows yet."""

from datetime import date, timedelta

import pytest

from shouwang.training.domain.workdays import WorkingDay, YearTable, after, is_workday

MAKE_UP_2018 = ["02-11", "02-24", "04-08", "04-28", "09-29", "09-30", "12-29"]


@pytest.mark.parametrize("day", MAKE_UP_2018)
def test_a_weekend_worked_in_exchange_is_a_working_day(day: str) -> None:
    made_up = date.fromisoformat(f"2018-{day}")
    assert made_up.weekday() >= 5
    assert is_workday(made_up) is True


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        ("2018-08-17", 0, "2018-08-17"),
        ("2018-08-17", 3, "2018-08-22"),  # Friday: the weekend does not count
        ("2018-09-28", 3, "2018-10-08"),  # two worked weekend days, then a week of holidays
        ("2018-09-29", 3, "2018-10-09"),  # a worked Saturday is not counted itself
        ("2018-07-20", 7, "2018-07-31"),
        ("2018-12-28", 2, "2019-01-02"),  # 29 December is worked, New Year is not
    ],
)
def test_days_are_counted_from_the_next_day(day: str, count: int, expected: str) -> None:
    assert after(date.fromisoformat(day), count) == WorkingDay(date.fromisoformat(expected), assumed=False)


def test_a_year_that_nobody_knows_is_counted_by_weekdays_and_said_so() -> None:
    assert is_workday(date(2093, 1, 1)) is None
    assert after(date(2093, 1, 1), 2) == WorkingDay(date(2093, 1, 5), assumed=True)  # Friday, Monday
    assert after(date(2003, 12, 30), 1).assumed is True  # before the library's first year


def test_only_the_days_on_the_way_have_to_be_known() -> None:
    assert after(date(2018, 12, 20), 3).assumed is False


def test_what_an_organiser_has_written_goes_first() -> None:
    spring = [date(2093, 2, 9) + timedelta(days=n) for n in range(5)]
    sunday, monday = date(2093, 2, 15), date(2093, 2, 16)
    tables = {2093: YearTable(off=frozenset(spring), on=frozenset([sunday]))}
    assert [is_workday(day, tables) for day in (*spring, sunday, monday)] == [*[False] * 5, True, True]
    assert after(date(2093, 2, 6), 2, tables) == WorkingDay(monday, assumed=False)


def test_an_empty_table_says_that_the_year_has_no_holidays() -> None:
    assert after(date(2093, 1, 1), 2, {2093: YearTable()}) == WorkingDay(date(2093, 1, 5), assumed=False)
    assert is_workday(date(2018, 10, 1), {2018: YearTable()}) is True
