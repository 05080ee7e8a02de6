"""Figures of a period and what they are compared with: pure arithmetic.

同比 (year on year) = (this period - the same days a year before) / the same days a year before; 环比 (period on period)
is against the period before. From a base of nothing there is no percentage: None, never 100.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

SMALLEST = 3
"""A smaller count is not shown in public: it might tell of one person what only that person may tell."""


@dataclass(frozen=True)
class Period:
    """Days, both included."""

    since: date
    until: date

    @property
    def whole_months(self) -> int:
        """How many calendar months it is exactly; 0 if it is not."""
        if self.since.day != 1 or (self.until + timedelta(days=1)).day != 1:
            return 0
        return _months(self.until) - _months(self.since) + 1

    def before(self) -> "Period":
        """The period of the same length that ends the day before: in months, if it is whole months, else in days."""
        until = self.since - timedelta(days=1)
        if self.whole_months:
            return Period(_first(_months(self.since) - self.whole_months), until)
        return Period(until - (self.until - self.since), until)

    def year_before(self) -> "Period":
        """The same days of the year before; the end of a month stays the end of it."""
        if self.whole_months:
            return Period(_first(_months(self.since) - 12), _first(_months(self.until) - 11) - timedelta(days=1))
        return Period(_a_year_before(self.since), _a_year_before(self.until))

    def months(self) -> list["Period"]:
        """The calendar months that lie wholly within it."""
        first = _months(self.since) + (self.since.day > 1)
        every = (Period(_first(month), _first(month + 1) - timedelta(days=1)) for month in range(first, first + 12 * 200))
        found = []
        for month in every:
            if month.until > self.until:
                break
            found.append(month)
        return found


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _first(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _a_year_before(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return date(day.year - 1, 2, 28) if leap_day else day.replace(year=day.year - 1)


# -- arithmetic ------------------------------------------------------------------------------------------------------


def change_pct(now: int, base: int) -> float | None:
    """By how much a count differs from its base; None from nothing."""
    return None if base == 0 else round((now - base) / base * 100, 1)


def share_pct(part: int, whole: int) -> float | None:
    """A part in per cent of a whole; None of nothing."""
    return None if whole == 0 else round(part / whole * 100, 1)


@dataclass(frozen=True)
class Counted:
    """A count in three periods."""

    now: int = 0
    before: int = 0
    year_before: int = 0


@dataclass(frozen=True)
class Compared:
    """What is shown of it: None where it is hidden, or where there is no percentage."""

    count: int | None
    before: int | None
    year_before: int | None
    change_pct: float | None
    year_change_pct: float | None
    suppressed: bool = False


def compare(counted: Counted, people: Counted | None = None, *, public: bool, hide: bool = False) -> Compared:
    """A count beside its bases.

    Args:
        people: how many people it tells of, if it counts something else of theirs (minutes, fen).
        hide: this count would give another one away.
    """
    told_of = people or counted
    now = _shown(counted.now, told_of.now, public=public, hide=hide)
    before = _shown(counted.before, told_of.before, public=public, hide=hide)
    year_before = _shown(counted.year_before, told_of.year_before, public=public, hide=hide)
    return Compared(
        now,
        before,
        year_before,
        None if now is None or before is None else change_pct(now, before),
        None if now is None or year_before is None else change_pct(now, year_before),
        suppressed=None in (now, before, year_before),
    )


def _shown(count: int, people: int, *, public: bool, hide: bool) -> int | None:
    return None if public and (hide or people < SMALLEST) else count
