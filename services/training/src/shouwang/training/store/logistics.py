"""Rooms and beds, what trainees need, meals, equipment, cost.

Whoever gives beds locks the batch first and then the rooms of its site, in the order of their numbers.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.store.parts import among, upsert
from shouwang.training.tables.courses import batches, enrolments, runs, sessions
from shouwang.training.tables.logistics import beds, costs, issues, meal_plans, rooms, stays
from shouwang.training.tables.people import members
from shouwang.training.tables.rosters import assignments, shifts

_enrolled = enrolments.c.status == "enrolled"
NIGHT_DUTY = ("night_patrol", "checkpoint")


# -- rooms and beds --------------------------------------------------------------------------------------------------


async def put_room(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a room, new or changed."""
    await upsert(tx, rooms, ("site", "room"), [row])


async def lock_rooms(tx: Transaction, site: str) -> list[Row[Any]]:
    """The rooms of a site in the order of their names, held until this transaction ends."""
    wanted = select(rooms).where(rooms.c.site == site).order_by(rooms.c.no).with_for_update()
    return sorted(await tx.execute(wanted), key=lambda row: str(row.room))


async def room_list(view: Reading, site: str) -> list[Row[Any]]:
    """The rooms of a site in the order of their names."""
    return list(await view.execute(select(rooms).where(rooms.c.site == site).order_by(rooms.c.room)))


async def beds_held(view: Reading, site: str, since: date, until: date | None = None) -> list[Row[Any]]:
    """Beds of a site that are held on some of these days, with what tells the sex of who has them."""
    wanted = (
        select(beds, rooms.c.room, members.c.id_number, stays.c.sex)
        .join_from(beds, rooms, rooms.c.no == beds.c.room_no)
        .join(members, members.c.member == beds.c.member)
        .join(stays, and_(stays.c.batch == beds.c.batch, stays.c.member == beds.c.member), isouter=True)
        .where(rooms.c.site == site, beds.c.until >= since)
        .order_by(rooms.c.room, beds.c.bed, beds.c.since)
    )
    return list(await view.execute(wanted if until is None else wanted.where(beds.c.since <= until)))


async def give_beds(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write beds; whose could be written. The database refuses a bed given twice, and a second bed of a member."""
    if not rows:
        return set()
    written = insert(beds).values(list(rows)).on_conflict_do_nothing().returning(beds.c.member)
    return set((await tx.execute(written)).scalars())


async def release(tx: Transaction, batch: str, tokens: Iterable[str], today: date) -> int:
    """Give beds of a batch back: those to come at once, the others from tomorrow on; how many."""
    theirs = (beds.c.batch == batch, among(beds.c.member, tokens))
    ended = update(beds).where(*theirs, beds.c.since <= today, beds.c.until > today).values(until=today)
    gone = delete(beds).where(*theirs, beds.c.since > today)
    return (await tx.execute(ended)).rowcount + (await tx.execute(gone)).rowcount


async def nights_of(view: Reading, batch: str, tokens: Iterable[str]) -> list[Row[Any]]:
    """Night patrols of trainees: those of the batch's timetable, and those that they stand on.

    Rows of `member`, `starts_at` of a session, `duty_date` of a shift; one of both is null.
    """
    wanted = list(tokens)
    of_batch = (
        select(enrolments.c.member, sessions.c.starts_at, literal(None, shifts.c.duty_date.type).label("duty_date"))
        .join(sessions, sessions.c.batch == enrolments.c.batch)
        .where(enrolments.c.batch == batch, among(enrolments.c.member, wanted), sessions.c.kind == "night_patrol")
    )
    of_roster = (
        select(assignments.c.member, literal(None, sessions.c.starts_at.type).label("starts_at"), shifts.c.duty_date)
        .join(shifts, shifts.c.id == assignments.c.shift)
        .where(among(assignments.c.member, wanted), shifts.c.kind.in_(NIGHT_DUTY))
        .where(assignments.c.status.in_(["proposed", "offered", "accepted", "served"]))
    )
    return list(await view.execute(of_batch.union_all(of_roster)))


# -- what trainees need ----------------------------------------------------------------------------------------------


async def set_stay(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write what a trainee needs, in place of what was said before."""
    await upsert(tx, stays, ("batch", "member"), [row])


async def trainees(view: Reading, batch: str, today: date) -> list[Row[Any]]:
    """Everybody ever enrolled in a batch, in the order in which they came, with what they need; who has a bed."""
    theirs = (beds.c.batch == enrolments.c.batch, beds.c.member == enrolments.c.member)
    held = select(beds.c.id).where(*theirs, beds.c.until >= today)
    wanted = (
        select(enrolments.c.member, enrolments.c.status, members.c.no, members.c.id_number)
        .add_columns(stays.c.needs_bed, stays.c.sex, held.exists().label("has_bed"))
        .join_from(enrolments, members, members.c.member == enrolments.c.member)
        .join(stays, and_(stays.c.batch == enrolments.c.batch, stays.c.member == enrolments.c.member), isouter=True)
        .where(enrolments.c.batch == batch)
        .order_by(enrolments.c.came)
    )
    return list(await view.execute(wanted))


async def eaters(view: Reading, batch: str | None, site: str | None, day: date) -> list[Row[Any]]:
    """Who eats on a day: trainees of these days, and those who still have a bed; `diet` and `allergies` of each."""
    bed = select(beds.c.id).where(beds.c.batch == enrolments.c.batch, beds.c.member == enrolments.c.member)
    sleeps = bed.where(beds.c.since <= day, beds.c.until >= day).exists()
    wanted = (
        select(enrolments.c.member, stays.c.diet, stays.c.allergies)
        .join_from(enrolments, batches, batches.c.id == enrolments.c.batch)
        .join(runs, runs.c.id == batches.c.run)
        .join(stays, and_(stays.c.batch == enrolments.c.batch, stays.c.member == enrolments.c.member), isouter=True)
        .where(_enrolled, or_(and_(batches.c.starts_on <= day, batches.c.ends_on >= day), sleeps))
        .where(batches.c.id == batch if batch is not None else runs.c.site == site)
        .distinct(enrolments.c.member)
        .order_by(enrolments.c.member, stays.c.said_at.desc().nulls_last())
    )
    return list(await view.execute(wanted))


async def forget_allergies(tx: Transaction, ended_before: date) -> int:
    """Forget what trainees of batches that ended before a day could not eat; of how many."""
    over = select(batches.c.id).where(batches.c.ends_on < ended_before)
    kept = (stays.c.allergies.is_not(None), stays.c.batch.in_(over))
    return (await tx.execute(update(stays).where(*kept).values(allergies=None))).rowcount


async def put_meal_plan(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write the meals of a day, in place of those planned before."""
    await upsert(tx, meal_plans, ("site", "day"), [row])


async def meal_plan(view: Reading, site: str, day: date) -> list[dict[str, Any]]:
    """The meals of a day."""
    wanted = select(meal_plans.c.meals).where(meal_plans.c.site == site, meal_plans.c.day == day)
    return (await view.execute(wanted)).scalar_one_or_none() or []


# -- equipment -------------------------------------------------------------------------------------------------------


async def issue(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Hand out; the ids of what could be: not what has a serial number and is with somebody."""
    written = insert(issues).values(list(rows)).on_conflict_do_nothing().returning(issues.c.id)
    return set((await tx.execute(written)).scalars())


async def lock_issue(tx: Transaction, token: str) -> Row[Any] | None:
    """One item handed out, held until this transaction ends."""
    return (await tx.execute(select(issues).where(issues.c.id == token).with_for_update())).one_or_none()


async def take_back(tx: Transaction, token: str, condition: str, now: datetime) -> None:
    """It has come back."""
    await tx.execute(update(issues).where(issues.c.id == token).values(returned_at=now, condition=condition))


async def out(
    view: Reading, *, member: str | None, overdue_on: date | None, after: str | None, limit: int
) -> list[Row[Any]]:
    """What has not come back, in the order in which it was handed out."""
    wanted = select(issues).where(issues.c.returned_at.is_(None))
    if member is not None:
        wanted = wanted.where(issues.c.member == member)
    if overdue_on is not None:
        wanted = wanted.where(issues.c.due < overdue_on)
    if after is not None:
        wanted = wanted.where(issues.c.id > after)
    return list(await view.execute(wanted.order_by(issues.c.id).limit(limit)))


# -- cost ------------------------------------------------------------------------------------------------------------


async def add_cost(tx: Transaction, row: Mapping[str, Any]) -> int:
    """Write an entry; what the batch has cost with it."""
    await tx.execute(insert(costs).values(row))
    return int(
        (await tx.execute(select(func.sum(costs.c.amount_fen)).where(costs.c.batch == row["batch"]))).scalar_one()
    )


async def costs_by_kind(view: Reading, of: Sequence[str]) -> list[Row[Any]]:
    """What was spent on batches, by batch and kind."""
    wanted = select(costs.c.batch, costs.c.kind, func.sum(costs.c.amount_fen).label("amount_fen"))
    return list(await view.execute(wanted.where(among(costs.c.batch, of)).group_by(costs.c.batch, costs.c.kind)))


async def enrolled_in(view: Reading, *, batch: str | None, course: str | None) -> list[Row[Any]]:
    """A batch, or those of a course, newest first, with how many are enrolled."""
    counted = func.count().filter(_enrolled).label("trainees")
    wanted = (
        select(batches.c.id, counted)
        .join_from(batches, runs, runs.c.id == batches.c.run)
        .join(enrolments, enrolments.c.batch == batches.c.id, isouter=True)
        .where(batches.c.id == batch if batch is not None else runs.c.course == course)
        .group_by(batches.c.id)
    )
    return list(await view.execute(wanted.order_by(batches.c.id.desc())))
