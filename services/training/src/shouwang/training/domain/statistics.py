"""Figures of a period and what they are compared with: pure arithmetic.

同比 (year on year) = (this period - the same days a year before) / the same days a year before; 环比 (period on period)
is against the period before. From a base of nothing there is no percentage: None, never 100.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

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
        after = _months(self.until + timedelta(days=1))
        return [Period(_first(month), _first(month + 1) - timedelta(days=1)) for month in range(first, after)]


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


class Counted(NamedTuple):
    """A count in the period, in the one before, and a year before."""

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


@dataclass(frozen=True)
class Part:
    """A part of a whole, and its per cent."""

    part: int | None
    whole: int | None
    pct: float | None
    suppressed: bool = False


def compare(
    counted: Counted, people: Counted | None = None, *, public: bool, hidden: Sequence[bool] = (False, False, False)
) -> Compared:
    """A count beside its bases.

    Args:
        people: how many people it tells of, where it counts something else of theirs (minutes, fen).
        hidden: where it would give another count away.
    """
    columns = zip(counted, people or counted, hidden, strict=True)
    now, before, year_before = (None if public and (hide or of < SMALLEST) else count for count, of, hide in columns)
    return Compared(
        now, before, year_before,
        None if now is None or before is None else change_pct(now, before),
        None if now is None or year_before is None else change_pct(now, year_before),
        suppressed=None in (now, before, year_before),
    )  # fmt: skip


def compare_parts(
    parts: Mapping[str, Counted], people: Mapping[str, Counted] | None = None, *, public: bool
) -> dict[str, Compared]:
    """The parts of a whole that is shown too: where one alone is hidden, the next smallest is hidden with it."""
    people = people or parts
    columns = [giveaways({name: counted[n] for name, counted in people.items()}) for n in range(3)]
    return {
        name: compare(parts[name], people[name], public=public, hidden=[name in column for column in columns])
        for name in parts
    }


def giveaways(parts: Mapping[str, int]) -> set[str]:
    """The parts that must not be shown: the small ones, and as many more as keep them from being subtracted."""
    hidden = {name for name, count in parts.items() if count < SMALLEST}
    others = sorted((count, name) for name, count in parts.items() if count >= SMALLEST)
    secret = [parts[name] for name in hidden if parts[name]]
    while secret and others and (len(secret) == 1 or sum(secret) < SMALLEST):
        count, name = others.pop(0)
        hidden.add(name)
        secret.append(count)
    return hidden


def share(part: int, whole: int, people: int | None = None, *, public: bool) -> Part:
    """A share beside its counts; hidden where either is small, or `people`, if they are who it tells of."""
    told_of = min(part, whole) if people is None else people
    if public and told_of < SMALLEST:
        return Part(None, None, None, suppressed=True)
    return Part(part, whole, share_pct(part, whole))


@dataclass(frozen=True)
class Single:
    """A value that stands alone."""

    value: float | None
    suppressed: bool = False


def single(value: float | None, people: int, *, public: bool) -> Single:
    """A value that tells of so many people."""
    return Single(None, suppressed=True) if public and people < SMALLEST else Single(value)


def mean(total: int, count: int) -> float | None:
    """The average, to two places; None of nothing."""
    return None if count == 0 else round(total / count, 2)
