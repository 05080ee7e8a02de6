"""Figures of some periods at once: each statement counts all of them, and each row says which one it is of (`n`)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, FromClause, Integer, Row, and_, case, column, func, or_, select, true, values

from shouwang.common.database import Reading
from shouwang.training.tables.courses import attendances, batches, courses, enrolments, runs, sessions
from shouwang.training.tables.duty import duties
from shouwang.training.tables.logistics import costs
from shouwang.training.tables.people import certificates, members
from shouwang.training.tables.rosters import assignments, commitments, rosters, shifts

Days = tuple[date, date]
_enrolled = enrolments.c.status == "enrolled"


def _periods(spans: Sequence[Days]) -> FromClause:
    named = values(column("n", Integer), column("since", Date), column("until", Date), name="periods")
    return named.data([(n, *span) for n, span in enumerate(spans)])


def _begun(period: FromClause) -> Any:
    """A batch is counted to the day on which it begins."""
    return batches.c.starts_on.between(period.c.since, period.c.until)


async def overall(view: Reading, spans: Sequence[Days], now: datetime) -> list[Row[Any]]:
    """What is counted once for a whole period; in the order of the periods."""
    period = _periods(spans)
    parts = [_courses(period), _costs(period), _attendance(period, now), _certificates(period)]
    joined: FromClause = period
    for part in parts:
        joined = joined.join(part, true())
    wanted = select(period.c.n, *(c for part in parts for c in part.c)).select_from(joined)
    return list(await view.execute(wanted.order_by(period.c.n)))


def _courses(period: FromClause) -> FromClause:
    counted = select(func.count(batches.c.run.distinct()).label("courses"), func.count().label("batches"))
    return counted.select_from(batches).where(_begun(period)).lateral("of_courses")


def _costs(period: FromClause) -> FromClause:
    spent = select(func.coalesce(func.sum(costs.c.amount_fen), 0).label("cost_fen"))
    return spent.join_from(costs, batches, batches.c.id == costs.c.batch).where(_begun(period)).lateral("of_costs")


def _attendance(period: FromClause, now: datetime) -> FromClause:
    """Of sessions that have begun: everybody enrolled was expected.

    A share is compared with nothing, and there are many marks: so of the first period only, and batch by batch.
    """
    here = and_(enrolments.c.batch == sessions.c.batch, enrolments.c.member == attendances.c.member, _enrolled)
    begun = and_(sessions.c.batch == batches.c.id, sessions.c.starts_at <= now)
    marked = select(func.count()).join_from(sessions, attendances, attendances.c.session == sessions.c.id)
    present = marked.join(enrolments, here).where(begun).scalar_subquery()
    held = select(func.count()).select_from(sessions).where(begun).scalar_subquery()
    came = select(func.count()).where(enrolments.c.batch == batches.c.id, _enrolled).scalar_subquery()
    sums = [func.coalesce(func.sum(came * held), 0).label("expected"), func.coalesce(func.sum(present), 0)]
    counted = select(sums[0], sums[1].label("present")).select_from(batches)
    return counted.where(_begun(period), period.c.n == 0).lateral("of_attendance")


def _certificates(period: FromClause) -> FromClause:
    """Issued: our own, from a batch. Running out after the period: of anybody's."""
    issued = certificates.c.issued_on.between(period.c.since, period.c.until) & certificates.c.batch.is_not(None)
    ending = [
        func.count()
        .filter(
            certificates.c.valid_until > period.c.until,
            certificates.c.valid_until <= period.c.until + days,
            certificates.c.revoked_at.is_(None),
        )
        .label(f"expiring_{days}")
        for days in (30, 90)
    ]
    counted = select(func.count().filter(issued).label("issued"), *ending).select_from(certificates)
    near = certificates.c.valid_until.between(period.c.until, period.c.until + 90)
    return counted.where(or_(issued, near)).lateral("of_certificates")


async def places(view: Reading, spans: Sequence[Days]) -> list[Row[Any]]:
    """Places of published rosters, up to the minimum of each shift: more hands on one do not fill another."""
    period = _periods(spans)
    filled = assignments.c.status.in_(["accepted", "served", "missed"])
    each = (
        select(period.c.n, shifts.c.minimum, func.count().filter(filled).label("filled"))
        .add_columns(func.count().filter(assignments.c.status == "served").label("served"))
        .join_from(period, shifts, shifts.c.duty_date.between(period.c.since, period.c.until))
        .join(rosters, and_(rosters.c.id == shifts.c.roster, rosters.c.status == "published"))
        .join(assignments, assignments.c.shift == shifts.c.id, isouter=True)
        .group_by(period.c.n, shifts.c.id)
        .subquery()
    )
    wanted = (
        select(each.c.n, func.count().filter(each.c.served > 0).label("held"))
        .add_columns(func.sum(each.c.minimum).label("needed"))
        .add_columns(func.sum(func.least(each.c.filled, each.c.minimum)).label("filled"))
        .add_columns(func.sum(func.least(each.c.served, each.c.minimum)).label("served"))
        .group_by(each.c.n)
    )
    return list(await view.execute(wanted))


async def trainees(view: Reading, spans: Sequence[Days]) -> list[Row[Any]]:
    """Trainees by kind, how many passed, and what they said of it."""
    period = _periods(spans)
    passed = func.count().filter(enrolments.c.score >= courses.c.pass_mark)
    wanted = (
        select(period.c.n, members.c.kind, func.count().label("trainees"), passed.label("passed"))
        .add_columns(func.count(enrolments.c.rating).label("ratings"))
        .add_columns(func.coalesce(func.sum(enrolments.c.rating), 0).label("rated"))
        .join_from(period, batches, _begun(period))
        .join(runs, runs.c.id == batches.c.run)
        .join(courses, courses.c.course == runs.c.course)
        .join(enrolments, and_(enrolments.c.batch == batches.c.id, _enrolled))
        .join(members, members.c.member == enrolments.c.member)
        .group_by(period.c.n, members.c.kind)
    )
    return list(await view.execute(wanted))


async def served(view: Reading, spans: Sequence[Days]) -> list[Row[Any]]:
    """Minutes served by kind of member, by how many; and how many of them on a shared post."""
    period = _periods(spans)
    shared = case((shifts.c.kind == "shared_post", duties.c.member))
    wanted = (
        select(period.c.n, members.c.kind, func.sum(duties.c.minutes).label("minutes"))
        .add_columns(func.count(duties.c.member.distinct()).label("people"))
        .add_columns(func.count(shared.distinct()).label("shared"))
        .join_from(period, shifts, shifts.c.duty_date.between(period.c.since, period.c.until))
        .join(duties, duties.c.shift == shifts.c.id)
        .join(members, members.c.member == duties.c.member)
        .where(duties.c.minutes > 0)
        .group_by(period.c.n, members.c.kind)
    )
    return list(await view.execute(wanted))


async def promises(view: Reading, months: Sequence[tuple[int, date, date]]) -> list[Row[Any]]:
    """Promises in force in some months, each with the period it counts to, and how many of them were kept."""
    if not months:
        return []
    names = (column("n", Integer), column("since", Date), column("until", Date))
    month, again = (values(*names, name=name).data(list(months)) for name in ("months", "served_months"))
    done = (
        select(again.c.n, again.c.since, assignments.c.organisation, func.count().label("served"))
        .join_from(again, shifts, shifts.c.duty_date.between(again.c.since, again.c.until))
        .join(assignments, and_(assignments.c.shift == shifts.c.id, assignments.c.status == "served"))
        .group_by(again.c.n, again.c.since, assignments.c.organisation)
        .subquery("done")
    )
    in_force = and_(
        commitments.c.since <= month.c.until,
        or_(commitments.c.until.is_(None), commitments.c.until >= month.c.since),
        commitments.c.shifts_a_month > 0,
    )
    theirs = and_(
        done.c.n == month.c.n, done.c.since == month.c.since, done.c.organisation == commitments.c.organisation
    )
    kept = func.count().filter(done.c.served >= commitments.c.shifts_a_month).label("kept")
    wanted = select(month.c.n, func.count().label("promised"), kept)
    joined = month.join(commitments, in_force).join(done, theirs, isouter=True)
    return list(await view.execute(wanted.select_from(joined).group_by(month.c.n)))
