"""Hours and rest: what one person may be held for, whoever holds them.

Times are minutes since 1970 in UTC. The labour law's hours count for what an employer orders and pays; rest counts
for everything, paid or not, since nobody sleeps while helping neighbours.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shouwang.training.domain.days import DAY_MIN, LOCAL_MIN
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.shifts import Pay, Shift


@dataclass(frozen=True)
class Held:
    """A time for which a person is held by a shift."""

    shift: str
    start: int
    end: int
    duty_date: date
    ordered: bool
    """work for wages; else it is given freely"""

    @property
    def minutes(self) -> int:
        """How long."""
        return self.end - self.start


@dataclass(frozen=True)
class RestRules:
    """Minutes. Those of the labour law have its article beside them; rest between shifts is a setting (8-11 h)."""

    between: int = 8 * 60
    after_night: int = 11 * 60
    night_from: int = 0
    """local minute of the day at which the hours begin after which more rest is due"""
    night_to: int = 5 * 60
    day: int = 8 * 60  # 劳动法 art. 36
    overtime_day: int = 3 * 60  # art. 41, after agreement
    week: int = 44 * 60  # art. 36
    overtime_month: int = 36 * 60  # art. 41
    duty_days_a_week: int = 6  # art. 38: one day of rest


def held_by(shift: Shift) -> Held:
    """The time for which this shift holds whoever stands on it."""
    return Held(shift.shift, shift.start, shift.end, shift.duty_date, shift.pay is Pay.WAGE)


def conflicts(new: Held, others: Iterable[Held], rules: RestRules, *, overtime_agreed: bool = False) -> list[Reason]:
    """What forbids this one beside the others of the same person; empty if nothing does."""
    others = [held for held in others if held.shift != new.shift]
    found = list(dict.fromkeys(reason for held in others if (reason := _between(new, held, rules)) is not None))
    everything = [*others, new]
    if _duty_days(everything, new.duty_date) > rules.duty_days_a_week:
        found.append(Reason.REST_DAY)
    if new.ordered:
        found += _over_hours([held for held in everything if held.ordered], new.duty_date, rules, overtime_agreed)
    return found


def rest_needed(earlier: Held, rules: RestRules) -> int:
    """How long a person rests after a shift before the next one may begin."""
    night = overlaps_daily(earlier.start, earlier.end, rules.night_from, rules.night_to)
    return rules.after_night if night else rules.between


def overtime_month(day: date) -> tuple[int, int]:
    """Year and month that overtime of a day is counted to: that in which its week begins, so that no week is split."""
    monday = day - timedelta(days=day.weekday())
    return monday.year, monday.month


def overlaps_daily(start: int, end: int, daily_from: int, daily_to: int) -> bool:
    """Whether a span touches the daily hours from-to, in local minutes of the day (`to` may pass midnight)."""
    if daily_to <= daily_from:
        daily_to += DAY_MIN
    local_start, local_end = start + LOCAL_MIN, end + LOCAL_MIN
    first_day = local_start // DAY_MIN - 1
    return any(
        local_start < day * DAY_MIN + daily_to and day * DAY_MIN + daily_from < local_end
        for day in range(first_day, local_end // DAY_MIN + 1)
    )


def touches_night(start: int, end: int) -> bool:
    """Whether a span touches 22:00-06:00, when 劳动法 art. 61 and 63 protect."""
    return overlaps_daily(start, end, 22 * 60, 6 * 60)


def _between(one: Held, other: Held, rules: RestRules) -> Reason | None:
    if one.start < other.end and other.start < one.end:
        return Reason.DOUBLE_BOOKED
    first, second = (one, other) if one.start < other.start else (other, one)
    return Reason.REST if second.start - first.end < rest_needed(first, rules) else None


def _duty_days(everything: Sequence[Held], day: date) -> int:
    """Different duty dates in the week (Monday to Sunday) of a day."""
    week = day.isocalendar()[:2]
    return len({held.duty_date for held in everything if held.duty_date.isocalendar()[:2] == week})


def _over_hours(ordered: Sequence[Held], day: date, rules: RestRules, overtime_agreed: bool) -> list[Reason]:
    by_day: Counter[date] = Counter()
    for held in ordered:
        by_day[held.duty_date] += held.minutes
    found: list[Reason] = []
    if by_day[day] > rules.day + (rules.overtime_day if overtime_agreed else 0):
        found.append(Reason.OVER_DAY)
    week = day.isocalendar()[:2]
    in_week = sum(minutes for on, minutes in by_day.items() if on.isocalendar()[:2] == week)
    if in_week > rules.week and not overtime_agreed:
        found.append(Reason.OVER_WEEK)
    if overtime_agreed and _overtime(by_day, overtime_month(day), rules) > rules.overtime_month:
        found.append(Reason.OVER_MONTH)
    return found


def _overtime(by_day: Counter[date], month: tuple[int, int], rules: RestRules) -> int:
    """Minutes of a month beyond the day's hours or, where that is more, beyond the week's: none is counted twice."""
    beyond_day: Counter[tuple[int, int]] = Counter()
    in_week: Counter[tuple[int, int]] = Counter()
    for on, minutes in by_day.items():
        if overtime_month(on) == month:
            beyond_day[on.isocalendar()[:2]] += max(0, minutes - rules.day)
            in_week[on.isocalendar()[:2]] += minutes
    return sum(max(beyond_day[week], minutes - rules.week) for week, minutes in in_week.items())
