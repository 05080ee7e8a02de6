"""Quiet hours, reminders and their words: values in, values out."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from shouwang.training.domain.days import at
from shouwang.training.domain.quiet import WITHDRAWN, Quiet, send_at
from shouwang.training.domain.reminders import (
    KINDS,
    MOST_TRIES,
    REMINDER,
    beside,
    is_moot,
    next_try,
    reminder,
    spans,
)
from shouwang.training.domain.shifts import ShiftKind
from shouwang.training.notices import Channel
from shouwang.training.settings import Settings

NIGHT = Quiet("22:30", "07:00")
NOON = Quiet("12:00", "14:00")
NEVER = Quiet("07:00", "07:00")


def local(word: str) -> datetime:
    """`4 22:00`: a day of December 2026 and a time in Ruian."""
    day, clock = word.split()
    return at(date(2026, 12, int(day)), clock)


@pytest.mark.parametrize(
    ("now", "quiet", "about", "starts", "sent"),
    [
        # not quiet
        ("4 22:29", NIGHT, "shift_offered", None, "4 22:29"),
        ("4 07:00", NIGHT, "shift_offered", None, "4 07:00"),
        ("4 12:30", NIGHT, "enrolled", None, "4 12:30"),
        ("4 03:00", NEVER, "enrolled", None, "4 03:00"),
        # quiet, before and after midnight; the first minute is, the last is not
        ("4 22:30", NIGHT, "shift_offered", None, "5 07:00"),
        ("4 23:59", NIGHT, "shift_offered", None, "5 07:00"),
        ("5 00:00", NIGHT, "shift_offered", None, "5 07:00"),
        ("5 06:59", NIGHT, "shift_offered", None, "5 07:00"),
        # a window within a day
        ("4 11:59", NOON, "swap_proposed", None, "4 11:59"),
        ("4 12:00", NOON, "swap_proposed", None, "4 14:00"),
        ("4 23:00", NOON, "swap_proposed", None, "4 23:00"),
        # a shift that begins soon cannot wait; one that does not waits until it would begin soon, or the hours end
        ("4 23:00", NIGHT, REMINDER, "5 02:00", "4 23:00"),
        ("4 23:00", NIGHT, REMINDER, "5 01:00", "4 23:00"),
        ("4 23:00", NIGHT, REMINDER, "5 02:01", "4 23:01"),
        ("4 23:00", NIGHT, REMINDER, "5 06:00", "5 03:00"),
        ("4 23:00", NIGHT, REMINDER, "5 22:00", "5 07:00"),
        ("4 23:00", NIGHT, "shift_offered", "4 22:00", "5 07:00"),
        # nobody stays up, or comes, in vain
        ("4 23:00", NIGHT, WITHDRAWN, "5 11:00", "4 23:00"),
        ("4 23:00", NIGHT, WITHDRAWN, "5 11:01", "4 23:01"),
        ("4 23:00", NIGHT, WITHDRAWN, "5 20:00", "5 07:00"),
        ("4 23:00", NIGHT, WITHDRAWN, "4 22:00", "4 23:00"),
        ("4 23:00", NIGHT, WITHDRAWN, None, "5 07:00"),
    ],
)
def test_quiet_hours(now: str, quiet: Quiet, about: str, starts: str | None, sent: str) -> None:
    assert send_at(local(now), quiet, about, starts and local(starts)) == local(sent)


CLOCKS = st.builds(lambda h, m: f"{h:02}:{m:02}", st.integers(0, 23), st.integers(0, 59))


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    quiet=st.builds(Quiet, CLOCKS, CLOCKS),
    about=st.sampled_from([REMINDER, WITHDRAWN, "shift_offered"]),
    ahead_min=st.none() | st.integers(-600, 3000),
)
def test_whatever_waits_is_sent_within_a_day_and_then_waits_no_more(
    now: datetime, quiet: Quiet, about: str, ahead_min: int | None
) -> None:
    starts = None if ahead_min is None else now + timedelta(minutes=ahead_min)
    when = send_at(now, quiet, about, starts)
    assert now <= when < now + timedelta(days=1)
    assert send_at(when, quiet, about, starts) == when


def test_each_reminder_gives_way_to_the_next() -> None:
    none, two, day = timedelta(0), timedelta(hours=2), timedelta(hours=24)
    assert spans([24, 2]) == [(two, none), (day, two)]
    assert spans([2, 24, 2]) == spans([24.0, 2.0])
    assert spans([]) == []


@pytest.mark.parametrize(
    ("about", "place", "moot"),
    [
        (REMINDER, "accepted", False),
        (REMINDER, "declined", True),
        (REMINDER, "withdrawn", True),
        (REMINDER, None, True),
        ("shift_offered", "offered", False),
        ("shift_offered", "accepted", True),
        ("shift_offered", None, True),
        (WITHDRAWN, "withdrawn", False),
        (WITHDRAWN, None, False),
        (WITHDRAWN, "offered", True),
        ("ring_post", None, False),
    ],
)
def test_a_notice_is_not_sent_when_it_is_no_longer_so(about: str, place: str | None, moot: bool) -> None:
    assert is_moot(about, place, local("4 22:00"), local("5 22:00")) is moot


def test_nobody_is_reminded_once_the_shift_has_begun_or_the_next_reminder_is_due() -> None:
    assert is_moot(REMINDER, "accepted", local("4 22:00"), local("4 22:00"))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("4 22:00", "提醒：明天 22:00–02:00 韩田夜间巡逻"),
        ("5 00:30", "提醒：今天 22:00–02:00 韩田夜间巡逻"),
        ("1 09:00", "提醒：12月5日 22:00–02:00 韩田夜间巡逻"),
    ],
)
def test_words_of_a_reminder(now: str, words: str) -> None:
    assert reminder(local(now), local("5 22:00"), local("6 02:00"), "night_patrol", "韩田") == words


def test_words_of_other_notices() -> None:
    now, starts = local("4 20:00"), local("5 22:00")
    assert beside("shift_offered", "新班次待确认", now, starts) == "新班次待确认（明天 22:00）"
    assert beside("enrolled", "你已从候补转为正式学员", now, None) == "你已从候补转为正式学员"


def test_why_a_shift_is_off_stays_in_the_app() -> None:
    said = beside(WITHDRAWN, "班次取消：孕期七个月以上或哺乳期不得安排夜班", local("4 20:00"), local("5 22:00"))
    assert said == "班次取消（明天 22:00）"


def test_every_kind_of_shift_has_a_name() -> None:
    assert set(KINDS) == set(ShiftKind)


def test_pauses_grow() -> None:
    now = local("4 12:00")
    waits = [(next_try(now, tries) - now) // timedelta(minutes=1) for tries in range(1, MOST_TRIES + 2)]
    assert waits == [1, 5, 30, 30, 30, 30]


@pytest.mark.parametrize(
    ("name", "template", "said"),
    [
        ("odd", "no-such-scheme://KEY", "odd is not a URL that apprise understands"),
        ("empty", "", "empty is not a URL that apprise understands"),
        ("phone", "json://127.0.0.1/KEY", "phone is the phone app itself"),
    ],
)
def test_a_channel_that_cannot_work_is_told_at_the_start_without_its_key(name: str, template: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        Channel(name, template, limit_s=1.0)
    assert "KEY" not in str(refused.value)


@pytest.mark.parametrize("template", ["wecombot://KEY-1234", "mailto://user:word@example.org?to={member}@example.org"])
def test_channels_are_what_apprise_understands(template: str) -> None:
    Channel("any", template, limit_s=1.0)


def test_keys_do_not_stand_in_the_error_of_a_wrong_setting() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(notice_channels={"wecom bot": SecretStr("wecombot://KEY")}, remind_before_h=[0])
    assert "KEY" not in str(refused.value)
    assert refused.value.error_count() == 2
