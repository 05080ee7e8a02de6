"""Reminders of shifts: which are due, whether one is still true, and its words; how often a notice is tried."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shouwang.training.domain.days import LOCAL, day_of
from shouwang.training.domain.quiet import WITHDRAWN

REMINDER = "shift_reminder"
KINDS = {
    "night_patrol": "夜间巡逻",
    "checkpoint": "设卡执勤",
    "own_post": "看好自家门",
    "shared_post": "照顾邻家院",
    "publicity": "宣传活动",
}
MOST_TRIES = 5
_PAUSES_MIN = (1, 5, 30, 30, 30)
_HOLDING = frozenset({"proposed", "offered", "accepted", "served"})


def spans(hours: Iterable[float]) -> list[tuple[timedelta, timedelta]]:
    """For each reminder how long before a shift it is due, and from when on the next one stands in its place.

    [24, 2] gives (2 h, 0 h), (24 h, 2 h): after an hour in which nobody could be reminded only the last one is left.
    """
    before = [timedelta(hours=each) for each in sorted(set(hours))]
    return list(zip(before, [timedelta(0), *before], strict=False))


def is_moot(about: str, place: str | None, now: datetime, until: datetime | None = None) -> bool:
    """Whether a notice has been overtaken: by what became of the member's place on the shift, or by the clock.

    Args:
        place: the status of the assignment; None if there is none, or the notice is not about a shift.
        until: a reminder is good until then: the shift begins, or the next reminder is due.
    """
    if about == REMINDER:
        return place != "accepted" or until is None or until <= now
    if about == "shift_offered":
        return place != "offered"
    return about == WITHDRAWN and place in _HOLDING


def reminder(now: datetime, starts_at: datetime, ends_at: datetime, kind: str, area: str | None) -> str:
    """提醒：明天 22:00–02:00 韩田夜间巡逻"""
    begins, ends = starts_at.astimezone(LOCAL), ends_at.astimezone(LOCAL)
    return f"提醒：{_day(now, starts_at)} {begins:%H:%M}–{ends:%H:%M} {area or ''}{KINDS[kind]}"


def beside(about: str, text: str, now: datetime, starts_at: datetime | None) -> str:
    """The words of any other notice beside the phone app, with the shift that it is about, which they alone do not say.

    Why a shift is off stays in the app: it may be the member's health or record, and a channel may be a group's.
    """
    said = "班次取消" if about == WITHDRAWN else text
    return said if starts_at is None else f"{said}（{_day(now, starts_at)} {starts_at.astimezone(LOCAL):%H:%M}）"


def _day(now: datetime, moment: datetime) -> str:
    day = day_of(moment)
    return {0: "今天", 1: "明天"}.get((day - day_of(now)).days, f"{day.month}月{day.day}日")


def next_try(now: datetime, tries: int) -> datetime:
    """When a notice is tried again that has been tried so often, once or more."""
    return now + timedelta(minutes=_PAUSES_MIN[min(tries, len(_PAUSES_MIN)) - 1])
