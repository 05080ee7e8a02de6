"""Sites, courses, runs, batches, who is enrolled, who attended."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from shouwang.common.database import Reading, Transaction
from shouwang.training.store.parts import among, upsert
from shouwang.training.tables.courses import attendances, batches, courses, enrolments, runs, sessions, sites
from shouwang.training.tables.people import certificates, members

_enrolled = enrolments.c.status == "enrolled"

# -- sites, courses, runs --------------------------------------------------------------------------------------------


async def put_site(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a site, new or changed."""
    await upsert(tx, sites, "site", [row])


async def site(view: Reading, token: str) -> Row[Any] | None:
    """One site."""
    return (await view.execute(select(sites).where(sites.c.site == token))).one_or_none()


async def site_of_fence(view: Reading, fence: str) -> str | None:
    """The site that lies in a fence."""
    return (await view.execute(select(sites.c.site).where(sites.c.fence == fence))).scalar_one_or_none()


async def accredit(tx: Transaction, token: str, values: Mapping[str, Any]) -> bool:
    """Write since when a site is accredited; False if it is not known."""
    return (await tx.execute(update(sites).where(sites.c.site == token).values(values))).rowcount == 1


async def site_list(view: Reading) -> list[Row[Any]]:
    """All sites."""
    return list(await view.execute(select(sites).order_by(sites.c.site)))


async def put_course(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Write a course, new or changed."""
    await upsert(tx, courses, "course", [row])


async def course(view: Reading, token: str) -> Row[Any] | None:
    """One course."""
    return (await view.execute(select(courses).where(courses.c.course == token))).one_or_none()


async def course_list(view: Reading) -> list[Row[Any]]:
    """All courses."""
    return list(await view.execute(select(courses).order_by(courses.c.course)))


async def open_run(tx: Transaction, run: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a run and its batches."""
    await tx.execute(insert(runs).values(run))
    await tx.execute(insert(batches), list(rows))


# -- batches ---------------------------------------------------------------------------------------------------------

_of_batch = (
    select(batches, runs.c.course, runs.c.site, courses.c.certificate, courses.c.valid_months, courses.c.pass_mark)
    .add_columns(courses.c.attend_pct, courses.c.kinds, courses.c.adults_only)
    .join_from(batches, runs, runs.c.id == batches.c.run)
    .join(courses, courses.c.course == runs.c.course)
)


async def batch(view: Reading, token: str) -> Row[Any] | None:
    """One batch with its course."""
    return (await view.execute(_of_batch.where(batches.c.id == token))).one_or_none()


async def lock_batch(tx: Transaction, token: str) -> Row[Any] | None:
    """The same, held until this transaction ends."""
    return (await tx.execute(_of_batch.where(batches.c.id == token).with_for_update(of=batches))).one_or_none()


async def batch_list(
    view: Reading, *, course: str | None, site: str | None, before: str | None, limit: int
) -> list[Row[Any]]:
    """Batches, newest first, with how many are enrolled and waiting."""
    counted = (
        select(
            enrolments.c.batch,
            func.count().filter(_enrolled).label("enrolled"),
            func.count().filter(enrolments.c.status == "waiting").label("waiting"),
        )
        .group_by(enrolments.c.batch)
        .subquery()
    )
    sums = [func.coalesce(counted.c[name], 0).label(name) for name in ("enrolled", "waiting")]
    wanted = _of_batch.add_columns(*sums).join(counted, counted.c.batch == batches.c.id, isouter=True)
    if course is not None:
        wanted = wanted.where(runs.c.course == course)
    if site is not None:
        wanted = wanted.where(runs.c.site == site)
    if before is not None:
        wanted = wanted.where(batches.c.id < before)
    return list(await view.execute(wanted.order_by(batches.c.id.desc()).limit(limit)))


# -- timetable and attendance ----------------------------------------------------------------------------------------


async def put_timetable(tx: Transaction, batch: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the sessions of a batch in place of those it has."""
    await tx.execute(delete(sessions).where(sessions.c.batch == batch))
    await tx.execute(insert(sessions), list(rows))


async def sessions_of(view: Reading, batch: str) -> list[Row[Any]]:
    """The sessions of a batch in order, with how many were present."""
    present = select(func.count()).where(attendances.c.session == sessions.c.id).scalar_subquery()
    wanted = select(sessions, present.label("present")).where(sessions.c.batch == batch)
    return list(await view.execute(wanted.order_by(sessions.c.starts_at, sessions.c.id)))


async def session(view: Reading, token: str) -> Row[Any] | None:
    """One session."""
    return (await view.execute(select(sessions).where(sessions.c.id == token))).one_or_none()


async def session_at(view: Reading, site: str, member: str, early: datetime, now: datetime) -> Row[Any] | None:
    """The session at a site that a trainee has now, or that begins before `early`."""
    wanted = (
        select(sessions)
        .join(batches, batches.c.id == sessions.c.batch)
        .join(runs, runs.c.id == batches.c.run)
        .join(enrolments, enrolments.c.batch == batches.c.id)
        .where(runs.c.site == site, enrolments.c.member == member, _enrolled)
        .where(sessions.c.starts_at <= early, sessions.c.ends_at > now)
    )
    return (await view.execute(wanted.order_by(sessions.c.starts_at).limit(1))).one_or_none()


async def agenda(view: Reading, member: str, since: datetime) -> list[Row[Any]]:
    """A trainee's sessions from a moment on."""
    wanted = select(sessions).join(enrolments, enrolments.c.batch == sessions.c.batch)
    theirs = wanted.where(enrolments.c.member == member, _enrolled, sessions.c.starts_at >= since)
    return list(await view.execute(theirs.order_by(sessions.c.starts_at)))


async def attend(tx: Transaction, session: str, members: Iterable[str], by: str, at: datetime) -> list[str]:
    """Mark members present; those who were not marked before."""
    rows = [{"session": session, "member": member, "by": by, "at": at} for member in members]
    if not rows:
        return []
    marked = insert(attendances).values(rows).on_conflict_do_nothing().returning(attendances.c.member)
    return list((await tx.execute(marked)).scalars())


async def unmark(tx: Transaction, session: str, members: Iterable[str]) -> int:
    """Take marks back; how many there were."""
    here = (attendances.c.session == session, among(attendances.c.member, members))
    return (await tx.execute(delete(attendances).where(*here))).rowcount


async def attended(view: Reading, batch: str) -> dict[str, int]:
    """How many sessions of a batch each trainee attended."""
    wanted = (
        select(attendances.c.member, func.count().label("sessions"))
        .join(sessions, sessions.c.id == attendances.c.session)
        .where(sessions.c.batch == batch)
        .group_by(attendances.c.member)
    )
    return {row.member: row.sessions for row in await view.execute(wanted)}


# -- enrolment -------------------------------------------------------------------------------------------------------


async def trainees(view: Reading, batch: str) -> list[Row[Any]]:
    """Everybody who was ever enrolled in a batch, in the order in which they came."""
    wanted = select(enrolments).where(enrolments.c.batch == batch).order_by(enrolments.c.came)
    return list(await view.execute(wanted))


async def kinds_of(view: Reading, tokens: Iterable[str]) -> dict[str, Row[Any]]:
    """Kind and birth date of members, by token."""
    wanted = select(members.c.member, members.c.kind, members.c.born, members.c.left_on)
    return {row.member: row for row in await view.execute(wanted.where(among(members.c.member, tokens)))}


async def enrol(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write enrolments; whoever withdrew before comes again, at the end of the line."""
    await upsert(tx, enrolments, ("batch", "member"), rows)


async def set_enrolments(tx: Transaction, batch: str, tokens: Iterable[str], **values: Any) -> list[str]:
    """Change columns of enrolments that are not withdrawn; whose they are."""
    here = (enrolments.c.batch == batch, among(enrolments.c.member, tokens), enrolments.c.status != "withdrawn")
    changed = update(enrolments).where(*here).values(values).returning(enrolments.c.member)
    return list((await tx.execute(changed)).scalars())


# -- certificates ----------------------------------------------------------------------------------------------------


async def next_number(tx: Transaction, kind: str, year: int) -> int:
    """The first number of a kind's certificates of a year that is not taken; nobody else gets one until we end."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("certificates"), func.hashtext(kind))))
    like = f"{kind}-{year}-%"
    wanted = select(func.count()).where(certificates.c.kind == kind, certificates.c.number.like(like))
    return int((await tx.execute(wanted)).scalar_one()) + 1


async def have_certificate(view: Reading, kind: str, tokens: Iterable[str], batch: str) -> set[str]:
    """Who has the certificate from this batch already."""
    wanted = select(certificates.c.member).where(
        certificates.c.kind == kind, certificates.c.batch == batch, among(certificates.c.member, tokens)
    )
    return set((await view.execute(wanted)).scalars())


async def certificate(view: Reading, token: str) -> Row[Any] | None:
    """One certificate with its holder's name."""
    wanted = select(certificates, members.c.name).join(members, members.c.member == certificates.c.member)
    return (await view.execute(wanted.where(certificates.c.id == token))).one_or_none()


async def revoke(tx: Transaction, token: str, reason: str, now: datetime) -> bool:
    """Revoke a certificate; False if it was before."""
    live = (certificates.c.id == token, certificates.c.revoked_at.is_(None))
    return (
        await tx.execute(update(certificates).where(*live).values(revoked_at=now, revoked_for=reason))
    ).rowcount == 1


async def expire(tx: Transaction, today: Any, limit: int = 500) -> list[Row[Any]]:
    """Certificates that have run out and of which it was not told; marked so now."""
    due = (
        select(certificates.c.id)
        .where(certificates.c.valid_until < today, ~certificates.c.expiry_told, certificates.c.revoked_at.is_(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    told = update(certificates).where(certificates.c.id.in_(due)).values(expiry_told=True)
    return list(await tx.execute(told.returning(*certificates.c)))
