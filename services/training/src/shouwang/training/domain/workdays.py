"""Working days (工作日) in China: weekends, holidays, and the weekends that are worked in exchange (调休).

The State Council announces a year's holidays at the end of the year before. `chinesecalendar` knows them up to the
year of its release and raises for later ones; those are taken from the organiser's own table, and while that has
none, Monday to Friday are counted and it is said so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

SATURDAY = 5
NO_TABLE: Mapping[int, "YearTable"] = {}


@dataclass(frozen=True)
class YearTable:
    """What an organiser has written of a year: it goes before what the library knows."""

    off: frozenset[date] = frozenset()
    """Monday to Friday, yet free"""
    on: frozenset[date] = frozenset()
    """Saturday or Sunday, yet worked"""


@dataclass(frozen=True)
class WorkingDay:
    """A day that was counted to. `assumed`: the holidays of a year on the way are not known."""

    day: date
    assumed: bool = False


def is_workday(day: date, tables: Mapping[int, YearTable] = NO_TABLE) -> bool | None:
    """Whether people work on a day; None if nobody has said yet."""
    table = tables.get(day.year)
    if table is not None:
        return day in table.on or (day.weekday() < SATURDAY and day not in table.off)
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def after(day: date, count: int, tables: Mapping[int, YearTable] = NO_TABLE) -> WorkingDay:
    """The working day that is `count` working days after a day, counted from the next day on."""
    assumed = False
    while count:
        day += timedelta(days=1)
        works = is_workday(day, tables)
        if works is None:
            assumed, works = True, day.weekday() < SATURDAY
        count -= works
    return WorkingDay(day, assumed)
