"""Rest and hours against an oracle that knows only the words of the law and counts minute by minute."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shouwang.training.domain.days import at, minute, window
from shouwang.training.domain.reasons import Reason
from shouwang.training.domain.rest import Held, RestRules, conflicts, overlaps_daily, rest_needed, touches_night

RULES = RestRules()
MONDAY = date(2027, 2, 1)
"""February 2027 is four weeks, Monday to Sunday: no week of it lies in two months."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MANY = settings(max_examples=1000, deadline=None)


# -- the oracle ------------------------------------------------------------------------------------------------------


def minutes_of(held: Held) -> range:
    """Every minute that somebody is held."""
    return range(held.start, held.end)


@cache
def is_night(moment: int) -> bool:
    """Whether a minute is between 0 and 5 o'clock, by a clock on a wall in Ruian."""
    return (EPOCH + timedelta(minutes=moment, hours=8)).hour < 5


def of_pair(one: Held, other: Held) -> Reason | None:
    """No minute in both; eight hours between them, eleven after any minute of the night."""
    if set(minutes_of(one)) & set(minutes_of(other)):
        return Reason.DOUBLE_BOOKED
    first, second = sorted((one, other), key=lambda held: held.end)
    free = len(range(first.end, second.start))
    wanted = 11 * 60 if any(is_night(moment) for moment in minutes_of(first)) else 8 * 60
    return Reason.REST if free < wanted else None


def week_of(day: date) -> list[date]:
    """Monday to Sunday."""
    return [day + timedelta(days=n - day.weekday()) for n in range(7)]


def overtime(work: Sequence[Held]) -> Counter[date]:
    """Minutes of overtime by the day they are counted to: beyond eight hours of it, or beyond 44 of its week."""
    of_day, of_week, beyond = Counter[date](), Counter[date](), Counter[date]()
    for held in sorted(work, key=lambda held: held.start):
        for _ in minutes_of(held):
            monday = week_of(held.duty_date)[0]
            if of_day[held.duty_date] >= 8 * 60 or of_week[monday] >= 44 * 60:
                beyond[held.duty_date] += 1
            else:
                of_week[monday] += 1
            of_day[held.duty_date] += 1
    return beyond


def by_the_words(new: Held, others: Sequence[Held], *, agreed: bool) -> set[Reason]:
    """What the law and the settings say of one more shift."""
    found = {reason for held in others if (reason := of_pair(new, held))}
    everything = [*others, new]
    if not set(week_of(new.duty_date)) - {held.duty_date for held in everything}:
        found.add(Reason.REST_DAY)
    if not new.ordered:
        return found
    work = [held for held in everything if held.ordered]
    today = sum(len(minutes_of(held)) for held in work if held.duty_date == new.duty_date)
    this_week = sum(len(minutes_of(held)) for held in work if held.duty_date in week_of(new.duty_date))
    if today > (8 + 3 * agreed) * 60:
        found.add(Reason.OVER_DAY)
    if this_week > 44 * 60 and not agreed:
        found.add(Reason.OVER_WEEK)
    if not agreed:
        return found
    of_month = [
        n for day, n in overtime(work).items() if (day.year, day.month) == (new.duty_date.year, new.duty_date.month)
    ]
    if sum(of_month) > 36 * 60:
        found.add(Reason.OVER_MONTH)
    return found


# -- random rosters of one person ------------------------------------------------------------------------------------

LENGTHS = st.sampled_from([1, 59, 60, 120, 180, 239, 240, 241, 480, 481, 660, 661, 720])
STARTS = st.one_of(
    st.integers(0, 1439), st.sampled_from([0, 1, 5 * 60 - 1, 5 * 60, 8 * 60, 19 * 60, 20 * 60, 22 * 60, 23 * 60 + 59])
)


@st.composite
def spans(draw: st.DrawFn, days: int = 21) -> tuple[date, int, int, bool]:
    """A duty date, local minutes of its beginning and end since its midnight, and whether it is work for wages."""
    start = draw(STARTS) + 1440 * draw(st.sampled_from([0, 0, 0, 1]))  # now and then after midnight, of the day before
    return MONDAY + timedelta(days=draw(st.integers(0, days - 1))), start, start + draw(LENGTHS), draw(st.booleans())


def as_held(many: Sequence[tuple[date, int, int, bool]]) -> list[Held]:
    """The same as shifts."""
    midnight = minute(at(MONDAY, "00:00"))
    return [
        Held(f"s{n}", offset + start, offset + end, day, ordered)
        for n, (day, start, end, ordered) in enumerate(many)
        for offset in [midnight + (day - MONDAY).days * 1440]
    ]


rosters = st.one_of(
    st.lists(spans(), min_size=2, max_size=9),
    st.lists(spans(days=7), min_size=6, max_size=7, unique_by=lambda span: span[0]),  # weeks without a free day
    st.lists(spans(days=3), min_size=2, max_size=6),
).map(as_held)


@MANY
@given(rosters, st.booleans())
def test_one_more_shift_is_judged_by_the_words_of_the_law(many: list[Held], agreed: bool) -> None:
    *others, new = many
    assert set(conflicts(new, others, RULES, overtime_agreed=agreed)) == by_the_words(new, others, agreed=agreed)


@MANY
@given(rosters)
def test_two_shifts_forbid_each_other_or_neither_the_other(many: list[Held]) -> None:
    one, other = many[:2]
    pair = (Reason.DOUBLE_BOOKED, Reason.REST)
    there = [reason for reason in conflicts(one, [other], RULES) if reason in pair]
    back = [reason for reason in conflicts(other, [one], RULES) if reason in pair]
    assert there == back


@MANY
@given(rosters, st.booleans(), st.randoms(use_true_random=False))
def test_whatever_is_let_through_one_by_one_is_lawful_as_a_whole(
    many: list[Held], agreed: bool, rng: random.Random
) -> None:
    """In any order: no double booking, no broken rest, a free day each week, no hours too many."""
    rng.shuffle(many)
    held: list[Held] = []
    for new in many:
        if not conflicts(new, held, RULES, overtime_agreed=agreed):
            held.append(new)
    for one in held:
        assert by_the_words(one, [other for other in held if other is not one], agreed=agreed) == set()


@MANY
@given(rosters, st.booleans())
def test_what_is_held_does_not_change_by_being_looked_at_again(many: list[Held], agreed: bool) -> None:
    """A shift does not stand in its own way, and the order of the others means nothing."""
    *others, new = many
    once = conflicts(new, others, RULES, overtime_agreed=agreed)
    assert conflicts(new, [new, *others], RULES, overtime_agreed=agreed) == once
    assert set(conflicts(new, others[::-1], RULES, overtime_agreed=agreed)) == set(once)


@settings(max_examples=200, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # slow to shrink
@given(st.lists(st.tuples(st.integers(0, 27), st.sampled_from([240, 480, 540, 600, 660])), unique_by=lambda x: x[0]))
def test_a_month_of_agreed_overtime_is_counted_by_the_words_of_the_law(days: list[tuple[int, int]]) -> None:
    """劳动法 第36、41条: minutes beyond eight hours of a day and beyond 44 hours of a week, each once."""
    month = as_held([(MONDAY + timedelta(days=n), 480, 480 + length, True) for n, length in days])
    too_much = sum(overtime(month).values()) > 36 * 60
    for new in month:
        others = [held for held in month if held is not new]
        assert (Reason.OVER_MONTH in conflicts(new, others, RULES, overtime_agreed=True)) == too_much


# -- hours of the day, windows ---------------------------------------------------------------------------------------

CLOCKS = st.integers(0, 1439)


@MANY
@given(st.integers(0, 3000), LENGTHS, CLOCKS, CLOCKS)
def test_daily_hours_are_touched_by_any_minute_in_them(start: int, length: int, first: int, last: int) -> None:
    """`to` is not among them; hours that end before they begin pass midnight; the same twice is the whole day."""
    hours = {(first + n) % 1440 for n in range((last - first) % 1440 or 1440)}
    touched = any((moment + 480) % 1440 in hours for moment in range(start, start + length))
    assert overlaps_daily(start, start + length, first, last) == touched


@MANY
@given(st.integers(0, 3000), LENGTHS)
def test_night_is_from_22_to_6(start: int, length: int) -> None:
    hours = {(EPOCH + timedelta(minutes=moment, hours=8)).hour for moment in range(start, start + length)}
    assert touches_night(start, start + length) == bool(hours & {22, 23, 0, 1, 2, 3, 4, 5})


@pytest.mark.parametrize(
    ("start", "end", "rest"),
    [
        ("20:00", "00:00", 8),  # ends as the night begins
        ("20:00", "00:01", 11),
        ("04:59", "05:30", 11),
        ("05:00", "09:00", 8),
        ("22:00", "06:00", 11),
    ],
)
def test_eleven_hours_of_rest_after_the_small_hours(start: str, end: str, rest: int) -> None:
    begins, ends = window(MONDAY, start, end)
    assert rest_needed(Held("s", minute(begins), minute(ends), MONDAY, ordered=False), RULES) == rest * 60


@MANY
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), CLOCKS, CLOCKS, st.booleans())
def test_a_window_is_absolute_and_less_than_a_day_long(day: date, start: int, end: int, next_day: bool) -> None:
    clocks = [f"{n // 60:02}:{n % 60:02}" for n in (start, end)]
    begins, ends = window(day, clocks[0], clocks[1], next_day=next_day)
    length = (ends - begins).total_seconds() / 60
    assert length == ((end - start) % 1440 or 1440)
    assert begins == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        days=next_day, minutes=start, hours=-8
    )


def test_a_patrol_of_the_small_hours_is_counted_to_the_evening_before() -> None:
    begins, ends = window(date(2027, 2, 10), "00:00", "04:00", next_day=True)
    assert begins == datetime(2027, 2, 10, 16, tzinfo=UTC)
    assert ends == datetime(2027, 2, 10, 20, tzinfo=UTC)
