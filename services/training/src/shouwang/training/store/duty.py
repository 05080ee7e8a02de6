"""Who is on duty, and what was served."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.store.parts import among
from shouwang.training.tables.duty import duties, service_certificates
from shouwang.training.tables.rosters import assignments, shifts

_on_duty = duties.c.ended_at.is_(None)


async def begins(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Write that a member goes on duty; False if it is on duty already."""
    return (await tx.execute(insert(duties).values(row).on_conflict_do_nothing())).rowcount == 1


async def lock_duties(tx: Transaction, members: Iterable[str]) -> list[Row[Any]]:
    """The duties that these members are on, with the times of their shifts, held until this transaction ends."""
    wanted = (
        select(duties, shifts.c.starts_at, shifts.c.ends_at)
        .join_from(duties, shifts, shifts.c.id == duties.c.shift)
        .where(among(duties.c.member, members), _on_duty)
        .order_by(duties.c.member)
    )
    return list(await tx.execute(wanted.with_for_update(of=duties)))


async def ends(tx: Transaction, duty: str, now: datetime, minutes: int) -> None:
    """Write that a duty has ended."""
    await tx.execute(update(duties).where(duties.c.id == duty).values(ended_at=now, minutes=minutes))


async def is_on(view: Reading, shift: str, member: str) -> bool:
    """Whether a member is on duty for a shift."""
    here = (duties.c.shift == shift, duties.c.member == member, _on_duty)
    return (await view.execute(select(duties.c.id).where(*here))).first() is not None


async def was_held(view: Reading, shift: str) -> bool:
    """Whether anybody is, or was, on duty for a shift."""
    return (await view.execute(select(duties.c.id).where(duties.c.shift == shift).limit(1))).first() is not None


async def run_out(view: Reading, now: datetime, limit: int = 200) -> list[str]:
    """Members whose duty is over by the clock."""
    wanted = select(duties.c.member).where(_on_duty, duties.c.until <= now).order_by(duties.c.until).limit(limit)
    return list((await view.execute(wanted)).scalars())


async def shift_for(
    view: Reading, member: str, now: datetime, early: timedelta, shift: str | None = None
) -> Row[Any] | None:
    """The shift that a member can begin now, this one if it is named: accepted or led by it, held now or soon."""
    accepted = select(assignments.c.shift).where(assignments.c.member == member, assignments.c.status == "accepted")
    theirs = or_(shifts.c.id.in_(accepted), shifts.c.lead_officer == member)
    wanted = select(shifts).where(theirs, shifts.c.starts_at <= now + early, shifts.c.ends_at > now)
    if shift is not None:
        wanted = wanted.where(shifts.c.id == shift)
    return (await view.execute(wanted.order_by(shifts.c.starts_at).limit(1))).one_or_none()


async def now_on(view: Reading, now: datetime) -> list[Row[Any]]:
    """Published shifts that are held now, with how many accepted."""
    accepted = (
        select(func.count())
        .where(assignments.c.shift == shifts.c.id, assignments.c.status.in_(["accepted", "served"]))
        .scalar_subquery()
    )
    named = select(assignments.c.shift).where(assignments.c.status.in_(["offered", "accepted", "served"]))
    held = and_(
        shifts.c.starts_at <= now, shifts.c.ends_at > now, or_(shifts.c.id.in_(named), shifts.c.id.in_(_busy()))
    )
    wanted = select(shifts, accepted.label("accepted")).where(held)
    return list(await view.execute(wanted.order_by(shifts.c.starts_at, shifts.c.area, shifts.c.id)))


def _busy() -> Any:
    return select(duties.c.shift).where(_on_duty)


async def on_duty(view: Reading) -> list[Row[Any]]:
    """Everybody who is on duty: member and shift."""
    return list(await view.execute(select(duties.c.member, duties.c.shift).where(_on_duty).order_by(duties.c.member)))


async def missed(tx: Transaction, now: datetime, limit: int = 500) -> list[Row[Any]]:
    """Places that were accepted, whose shift is over, and that nobody came to; now marked so."""
    came = select(duties.c.member).where(duties.c.shift == assignments.c.shift, duties.c.member == assignments.c.member)
    due = (
        select(assignments.c.shift, assignments.c.member)
        .where(assignments.c.status == "accepted", assignments.c.ends_at < now, ~came.exists())
        .limit(limit)
        .with_for_update(skip_locked=True)
        .subquery()
    )
    here = and_(assignments.c.shift == due.c.shift, assignments.c.member == due.c.member)
    marked = update(assignments).where(here).values(status="missed", changed_at=now)
    return list(await tx.execute(marked.returning(assignments.c.shift, assignments.c.member)))


async def hours(view: Reading, member: str, since: date, until: date) -> Row[Any]:
    """Minutes and shifts served between two days, and the kinds of shifts."""
    wanted = (
        select(
            func.coalesce(func.sum(duties.c.minutes), 0).label("minutes"),
            func.count(func.distinct(duties.c.shift)).label("shifts"),
            func.coalesce(func.array_agg(func.distinct(shifts.c.kind)), []).label("kinds"),
        )
        .join_from(duties, shifts, shifts.c.id == duties.c.shift)
        .where(duties.c.member == member, duties.c.minutes > 0, shifts.c.duty_date.between(since, until))
    )
    return (await view.execute(wanted)).one()


async def add_service_certificate(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep what a member was certified to have served."""
    await tx.execute(insert(service_certificates).values(row))


async def agenda(view: Reading, member: str, since: datetime) -> list[Row[Any]]:
    """A member's shifts from a moment on, those it leads among them."""
    mine = and_(assignments.c.shift == shifts.c.id, assignments.c.member == member)
    wanted = (
        select(shifts, assignments.c.status)
        .join_from(shifts, assignments, mine, isouter=True)
        .where(
            shifts.c.starts_at >= since,
            or_(assignments.c.status.in_(["offered", "accepted", "served"]), shifts.c.lead_officer == member),
        )
    )
    return list(await view.execute(wanted.order_by(shifts.c.starts_at)))
