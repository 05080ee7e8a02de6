"""Courses: how much a day may hold, who may sit in one, who has passed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shouwang.training.domain.days import LOCAL, day_of
from shouwang.training.domain.identity import ADULT_YEARS, age_on

CLASS_HOUR = timedelta(minutes=45)
SMALL_HOURS = 6
THEORY_A_DAY, SKILLS_A_DAY = 6, 3
"""Class hours a trainee a day, after the syllabus for guards; a longer day is a warning, since no law was found."""


@dataclass(frozen=True)
class Lesson:
    """A session as the timetable has it."""

    starts_at: datetime
    class_hours: int
    kind: str

    @property
    def ends_at(self) -> datetime:
        """The end, without pauses."""
        return self.starts_at + self.class_hours * CLASS_HOUR


@dataclass(frozen=True)
class Warned:
    """What is unusual about a day."""

    day: date
    code: str
    detail: str


def warnings(lessons: Sequence[Lesson], first: date, last: date) -> list[Warned]:
    """What an organiser should look at again; nothing of it keeps a timetable from being held."""
    found: list[Warned] = []
    by_day: dict[date, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        by_day[day_of(lesson.starts_at)].append(lesson)
    for day, today in sorted(by_day.items()):
        if any(not first <= _belongs_to(lesson) <= last for lesson in today):
            found.append(Warned(day, "outside_batch", f"the batch is held {first} to {last}"))
        for kind, most in (("theory", THEORY_A_DAY), ("skills", SKILLS_A_DAY)):
            hours = sum(lesson.class_hours for lesson in today if lesson.kind == kind)
            if hours > most:
                found.append(Warned(day, f"{kind}_hours", f"{hours} class hours of {kind}, {most} are usual at most"))
    return found + _overlaps(lessons)


def _belongs_to(lesson: Lesson) -> date:
    """The day of a lesson; a patrol in the small hours belongs to the evening before."""
    night = lesson.kind == "night_patrol" and lesson.starts_at.astimezone(LOCAL).hour < SMALL_HOURS
    return day_of(lesson.starts_at) - timedelta(days=night)


def _overlaps(lessons: Sequence[Lesson]) -> list[Warned]:
    found: list[Warned] = []
    until: datetime | None = None
    for lesson in sorted(lessons, key=lambda lesson: lesson.starts_at):
        if until is not None and lesson.starts_at < until:
            detail = f"the session at {lesson.starts_at.astimezone(LOCAL):%H:%M} begins during another"
            found.append(Warned(day_of(lesson.starts_at), "overlap", detail))
        until = lesson.ends_at if until is None else max(until, lesson.ends_at)
    return found


def may_enrol(kind: str, born: date | None, for_kinds: Iterable[str], adults_only: bool, day: date) -> str | None:
    """The code of what forbids a member to sit in a course; None if nothing does."""
    wanted = set(for_kinds)
    if wanted and kind not in wanted:
        return "wrong_kind"
    if adults_only and (born is None or age_on(day, born) < ADULT_YEARS):
        return "minor"
    return None


def outcome(attended: int, held: int, score: float | None, *, attend_pct: int, pass_mark: int) -> str | None:
    """Why a trainee gets no certificate; None if it gets one."""
    if held and attended * 100 < held * attend_pct:
        return "absent"
    if score is None:
        return "not_examined"
    return "failed" if score < pass_mark else None


def valid_until(issued: date, months: int | None) -> date | None:
    """The last day of a certificate's validity; None if it has no end."""
    if months is None:
        return None
    year, month = divmod(issued.year * 12 + issued.month - 1 + months, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last_of_month = (first_of_next - timedelta(days=1)).day
    return date(year, month + 1, min(issued.day, last_of_month)) - timedelta(days=1)
