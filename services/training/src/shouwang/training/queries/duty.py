"""Who is on duty now; hours served; a member's own calendar."""

from collections import defaultdict
from datetime import timedelta

from faststream.nats import NatsRouter

from shouwang.common.doors import Principal, View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.duty import (
    Calendar,
    CalendarFeed,
    Coverage,
    Duty,
    Hours,
    HoursServed,
    OnShift,
)
from shouwang.training import SERVICE
from shouwang.training.calendars import feed
from shouwang.training.handlers.parts import Now
from shouwang.training.store import courses, duty, people

router: NatsRouter = lookups()
AT_ONCE = 4
LOOK_BACK = timedelta(days=31)


@router.subscriber(Duty.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def coverage(ask: Duty, view: View, clock: Now) -> Coverage:
    """The shifts that are held now, and who is on duty."""
    now = clock()
    members: dict[str, list[str]] = defaultdict(list)
    for row in await duty.on_duty(view):
        members[row.shift].append(row.member)
    shifts = [
        OnShift(
            shift=row.id,
            kind=row.kind,
            area=row.area,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            minimum=row.minimum,
            accepted=row.accepted,
            on_duty=members.get(row.id, []),
        )
        for row in await duty.now_on(view, now)
    ]
    on_duty = sum(len(found) for found in members.values())
    return Coverage(at=now, needed=sum(s.minimum for s in shifts), on_duty=on_duty, shifts=shifts)


@router.subscriber(Hours.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def hours(ask: Hours, view: View) -> HoursServed:
    """Hours that a member has served."""
    if await people.member(view, ask.member) is None:
        raise Problem.of_field("member", f"{ask.member} is not known", 404)
    served = await duty.hours(view, ask.member, ask.since, ask.until)
    return HoursServed(member=ask.member, minutes=int(served.minutes), shifts=served.shifts)


@router.subscriber(Calendar.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def calendar(ask: Calendar, principal: Principal, view: View, clock: Now) -> CalendarFeed:
    """A member's own shifts and sessions as iCalendar."""
    if await people.member(view, principal) is None:
        raise Problem.of_field("principal", f"{principal} is not a member", 404)
    since = clock() - LOOK_BACK
    shifts = await duty.agenda(view, principal, since)
    sessions = await courses.agenda(view, principal, since)
    return CalendarFeed(ics=feed(shifts, sessions, clock()))
