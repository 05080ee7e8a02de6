"""A member's shifts and sessions as iCalendar (RFC 5545), by the icalendar library."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from icalendar import Alarm, Event
from icalendar import Calendar as ICalendar

from shouwang.training.domain.days import LOCAL

KINDS = {
    "night_patrol": "夜间巡逻 Night patrol",
    "checkpoint": "设卡 Checkpoint",
    "own_post": "看好自家门 Own post",
    "shared_post": "照顾邻家院 Shared post",
    "publicity": "宣传 Publicity",
}
STATUS = {"offered": "TENTATIVE", "accepted": "CONFIRMED", "served": "CONFIRMED"}
REMIND = timedelta(hours=2)


def feed(shifts: Sequence[Any], sessions: Sequence[Any], now: datetime) -> str:
    """The feed; who subscribes to it sees a changed or removed shift at the next look."""
    calendar = ICalendar()
    calendar.add("prodid", "-//Shouwang//training//ZH")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "守望 值班与培训")
    for row in shifts:
        event = _event(row, KINDS[row.kind], now)
        event.add("status", STATUS.get(row.status, "CONFIRMED"))
        if row.area:
            event.add("location", row.area)
        calendar.add_component(event)
    for row in sessions:
        calendar.add_component(_event(row, row.subject, now))
    said: str = calendar.to_ical().decode()
    return said


def _event(row: Any, summary: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{row.id}@shouwang")
    event.add("dtstamp", now)
    event.add("summary", summary)
    event.add("dtstart", row.starts_at)
    event.add("dtend", row.ends_at)
    event.add("description", f"{row.starts_at.astimezone(LOCAL):%m-%d %H:%M} – {row.ends_at.astimezone(LOCAL):%H:%M}")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", -REMIND)
    event.add_component(alarm)
    return event
