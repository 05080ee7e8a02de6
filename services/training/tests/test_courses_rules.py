"""Courses: what a timetable is warned of, who may sit in one, who has passed, how long a certificate is good."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.training.domain.courses import (
    CLASS_HOUR,
    SKILLS_A_DAY,
    THEORY_A_DAY,
    Lesson,
    may_enrol,
    outcome,
    valid_until,
    warnings,
)
from shouwang.training.domain.days import at

DAY = date(2027, 3, 1)
NEXT_DAY = DAY + timedelta(days=1)


def lesson(clock: str, hours: int, kind: str = "theory", day: date = DAY) -> Lesson:
    """A lesson in local time."""
    return Lesson(at(day, clock), hours, kind)


def codes(lessons: list[Lesson], first: date = DAY, last: date = DAY) -> list[tuple[date, str]]:
    """What is warned of, and for which day."""
    return [(warned.day, warned.code) for warned in warnings(lessons, first, last)]


# -- class hours -----------------------------------------------------------------------------------------------------


def test_a_class_hour_has_45_minutes__guard_syllabus() -> None:
    """保安员培训大纲 (试行): 45 minutes; six of them are four hours and a half, without pauses."""
    assert timedelta(minutes=45) == CLASS_HOUR
    assert lesson("08:00", 6).ends_at == at(DAY, "12:30")


def test_six_hours_of_theory_and_three_of_skills_a_day_are_usual__guard_syllabus() -> None:
    """保安员培训大纲 (试行): more than that is a warning, since no law says it; the day is held as it stands."""
    assert (THEORY_A_DAY, SKILLS_A_DAY) == (6, 3)
    usual = [lesson("08:00", 3), lesson("13:00", 3), lesson("18:00", 3, "skills")]
    assert codes(usual) == []
    assert codes([*usual, lesson("21:00", 1)]) == [(DAY, "theory_hours")]
    assert codes([*usual, lesson("21:00", 1, "skills")]) == [(DAY, "skills_hours")]


def test_night_patrols_are_no_class_hours__guard_syllabus() -> None:
    """保安员培训大纲 (试行): theory and skills are counted, each for itself."""
    assert codes([lesson("08:00", 6), lesson("19:00", 5, "night_patrol")]) == []


def test_each_day_has_its_own_hours() -> None:
    days = [DAY, NEXT_DAY]
    assert codes([lesson("08:00", 6, day=day) for day in days], DAY, NEXT_DAY) == []
    assert codes([lesson("08:00", 7, day=day) for day in days], DAY, NEXT_DAY) == [
        (day, "theory_hours") for day in days
    ]


def test_a_day_is_a_local_day() -> None:
    """07:00 in Ruian is the evening before in UTC."""
    early, late = lesson("07:00", 3), lesson("19:00", 4)
    assert early.starts_at.date() != late.starts_at.date()
    assert codes([early, late]) == [(DAY, "theory_hours")]


# -- the days of a batch, overlaps -----------------------------------------------------------------------------------


def test_lessons_are_held_in_the_days_of_the_batch() -> None:
    before, after = DAY - timedelta(days=1), NEXT_DAY
    found = codes([lesson("08:00", 1, day=day) for day in (before, DAY, after)])
    assert found == [(before, "outside_batch"), (after, "outside_batch")]


def test_the_last_night_patrol_may_end_after_midnight() -> None:
    assert codes([lesson("00:00", 4, "night_patrol", NEXT_DAY)]) == []
    assert codes([lesson("00:00", 4, "night_patrol", NEXT_DAY + timedelta(days=1))]) == [
        (NEXT_DAY + timedelta(days=1), "outside_batch")
    ]


def test_a_lesson_after_the_last_night_is_outside_the_batch() -> None:
    """A patrol in the small hours belongs to the evening before; theory at nine does not."""
    found = codes([lesson("00:00", 4, "night_patrol", NEXT_DAY), lesson("09:00", 1, day=NEXT_DAY)])
    assert found == [(NEXT_DAY, "outside_batch")]


def test_two_lessons_at_once_are_warned_of() -> None:
    assert codes([lesson("09:00", 1), lesson("08:00", 2)]) == [(DAY, "overlap")]
    assert codes([lesson("08:00", 2), lesson("09:30", 1)]) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=8))
def test_every_lesson_that_begins_during_another_is_warned_of(timetable: list[tuple[int, int]]) -> None:
    """Also when a shorter one lies between: the long one goes on."""
    begins = datetime(2027, 3, 1, tzinfo=UTC)
    lessons = [Lesson(begins + n * timedelta(minutes=15), hours, "skills") for n, hours in timetable]
    minutes: set[int] = set()
    overlapping = 0
    for n, hours in sorted(timetable):
        overlapping += n * 15 in minutes
        minutes.update(range(n * 15, n * 15 + hours * 45))
    found = warnings(lessons, DAY, DAY + timedelta(days=9))
    assert sum(warned.code == "overlap" for warned in found) == overlapping


# -- who may sit in one ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "born", "for_kinds", "adults_only", "refused"),
    [
        ("guard", date(1985, 5, 1), [], True, None),
        ("guard", date(1985, 5, 1), ["guard", "militia"], True, None),
        ("teacher", date(1985, 5, 1), ["guard", "militia"], True, "wrong_kind"),
        ("student", date(2009, 3, 1), [], True, None),  # 18 on the first day
        ("student", date(2009, 3, 2), [], True, "minor"),
        ("student", date(2009, 3, 2), [], False, None),
        ("student", None, [], True, "minor"),  # whose age is not known
        ("student", None, [], False, None),
        ("student", date(2009, 3, 2), ["guard"], True, "wrong_kind"),
    ],
)
def test_who_may_sit_in_a_course(
    kind: str, born: date | None, for_kinds: list[str], adults_only: bool, refused: str | None
) -> None:
    assert may_enrol(kind, born, for_kinds, adults_only, DAY) == refused


# -- who has passed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attended", "held", "score", "lacks"),
    [
        (8, 10, 60.0, None),
        (7, 10, 100.0, "absent"),
        (10, 10, 59.9, "failed"),
        (10, 10, None, "not_examined"),
        (0, 10, None, "absent"),
        (0, 0, 60.0, None),  # a course without a timetable has nothing to attend
        (4, 5, 60.0, None),
        (3, 4, 60.0, "absent"),  # 75 of 80 per cent
        (12, 10, 60.0, None),
    ],
)
def test_who_has_earned_a_certificate(attended: int, held: int, score: float | None, lacks: str | None) -> None:
    assert outcome(attended, held, score, attend_pct=80, pass_mark=60) == lacks


# -- how long it is good ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issued", "months", "last"),
    [
        (date(2026, 8, 24), 24, date(2028, 8, 23)),
        (date(2026, 12, 1), 1, date(2026, 12, 31)),
        (date(2026, 12, 2), 1, date(2027, 1, 1)),
        (date(2026, 11, 30), 1, date(2026, 12, 29)),
        (date(2026, 1, 1), 12, date(2026, 12, 31)),
        (date(2026, 1, 1), 11, date(2026, 11, 30)),
        (date(2026, 8, 24), None, None),
    ],
)
def test_a_certificate_is_good_for_so_many_months(issued: date, months: int | None, last: date | None) -> None:
    """The last day is the one before the day of the same number."""
    assert valid_until(issued, months) == last


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.integers(1, 240))
def test_months_are_never_longer_nor_much_shorter_than_they_are(issued: date, months: int) -> None:
    last = valid_until(issued, months)
    assert last is not None
    assert last >= issued
    beyond = last + timedelta(days=1)
    assert (beyond.year * 12 + beyond.month) - (issued.year * 12 + issued.month) == months
    assert beyond.day == issued.day or (beyond.day < issued.day and (beyond + timedelta(days=1)).day == 1)


@given(st.dates(date(2000, 1, 1), date(2100, 12, 31)), st.integers(1, 239))
def test_a_longer_certificate_is_good_for_longer(issued: date, months: int) -> None:
    shorter, longer = valid_until(issued, months), valid_until(issued, months + 1)
    assert shorter is not None
    assert longer is not None
    assert shorter < longer
