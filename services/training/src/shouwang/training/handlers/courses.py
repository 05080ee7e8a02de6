"""Sites, courses, runs, timetables, enrolment, feedback."""

from datetime import date
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Principal, Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.courses import (
    AccreditSite,
    CoursePut,
    Enrol,
    Enrolled,
    EnrolmentConfirmed,
    EnrolmentWaitlisted,
    EnrolmentWithdrawn,
    EnrolmentWithdrawnFact,
    FeedbackGiven,
    GiveFeedback,
    OpenRun,
    PutCourse,
    PutSite,
    PutTimetable,
    RunOpened,
    RunOpenedFact,
    SitePut,
    TimetablePut,
    TimetableWarning,
    WithdrawEnrolment,
)
from shouwang.contracts.training.people import Refused
from shouwang.training import SERVICE
from shouwang.training.domain.courses import Lesson, may_enrol, warnings
from shouwang.training.handlers.parts import AT_ONCE, Now, lock_batch, whom
from shouwang.training.standings import notify
from shouwang.training.store import courses, people

router: NatsRouter = commands()


@router.subscriber(PutSite.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_site(ask: PutSite, tx: Tx) -> SitePut:
    """Write a training site."""
    if ask.fence is not None and await courses.site_of_fence(tx, ask.fence) not in (None, ask.site):
        raise Problem.of_field("fence", "is that of another site", 409)
    await courses.put_site(tx, ask.model_dump())
    return SitePut(site=ask.site)


@router.subscriber(AccreditSite.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def accredit_site(ask: AccreditSite, tx: Tx) -> SitePut:
    """The site is accredited."""
    if ask.until is not None and ask.until < ask.since:
        raise Problem.of_field("until", "is before since")
    if not await courses.accredit(tx, ask.site, {"accredited_since": ask.since, "accredited_until": ask.until}):
        raise Problem.of_field("site", f"{ask.site} is not known", 404)
    return SitePut(site=ask.site)


@router.subscriber(PutCourse.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_course(ask: PutCourse, tx: Tx) -> CoursePut:
    """Write a course or a tailored package."""
    await courses.put_course(tx, ask.model_dump())
    return CoursePut(course=ask.course)


@router.subscriber(OpenRun.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def open_run(ask: OpenRun, tx: Tx, clock: Now) -> RunOpened:
    """Hold a course at a site that is accredited for all its days."""
    await _check_run(tx, ask)
    now, run = clock(), new_id()
    rows = [{"id": new_id(), "run": run, **batch.model_dump()} for batch in ask.batches]
    about = ask.model_dump(exclude={"batches"})
    await courses.open_run(tx, {"id": run, "opened_at": now, **about}, rows)
    batches = [str(row["id"]) for row in rows]
    tx.tell(RunOpenedFact(run=run, course=ask.course, site=ask.site, batches=batches, at=now))
    return RunOpened(run=run, batches=batches)


@router.subscriber(PutTimetable.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def put_timetable(ask: PutTimetable, tx: Tx) -> TimetablePut:
    """Give a batch its timetable."""
    batch = await lock_batch(tx, ask.batch)
    if any(session.present for session in await courses.sessions_of(tx, ask.batch)):
        raise Problem.of_field("batch", "its timetable has attendance already; it stays as it is", 409)
    lessons = [Lesson(s.starts_at, s.class_hours, s.kind) for s in ask.sessions]
    rows = [
        {"id": new_id(), "batch": ask.batch, "ends_at": lesson.ends_at, **session.model_dump()}
        for session, lesson in zip(ask.sessions, lessons, strict=True)
    ]
    await courses.put_timetable(tx, ask.batch, rows)
    warned = [TimetableWarning(**vars(w)) for w in warnings(lessons, batch.starts_on, batch.ends_on)]
    return TimetablePut(sessions=[row["id"] for row in rows], warnings=warned)


@router.subscriber(Enrol.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def enrol(ask: Enrol, tx: Tx, clock: Now) -> Enrolled:
    """Enrol members while seats last; the others wait."""
    batch, now = await lock_batch(tx, ask.batch), clock()
    wanted = await whom(tx, ask)
    refused = await _refused(tx, batch, wanted, batch.starts_on)
    out = {one.member for one in refused}
    free = batch.seats - sum(row.status == "enrolled" for row in await courses.trainees(tx, ask.batch))
    rows = [
        {"batch": ask.batch, "member": member, "status": "enrolled" if n < free else "waiting", "came": new_id()}
        for n, member in enumerate(member for member in wanted if member not in out)
    ]
    await courses.enrol(tx, rows)
    for row in rows:
        fact = EnrolmentConfirmed if row["status"] == "enrolled" else EnrolmentWaitlisted
        tx.tell(fact(member=row["member"], batch=ask.batch, at=now))
    by_status = {s: [row["member"] for row in rows if row["status"] == s] for s in ("enrolled", "waiting")}
    return Enrolled(**by_status, refused=refused)


@router.subscriber(WithdrawEnrolment.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def withdraw_enrolment(ask: WithdrawEnrolment, tx: Tx, clock: Now) -> EnrolmentWithdrawn:
    """Give a seat back; the first who waits moves up."""
    batch, now = await lock_batch(tx, ask.batch), clock()
    if not await courses.set_enrolments(tx, ask.batch, [ask.member], status="withdrawn"):
        raise Problem.of_field("member", f"{ask.member} is not enrolled", 404)
    tx.tell(EnrolmentWithdrawnFact(member=ask.member, batch=ask.batch, at=now))
    rows = await courses.trainees(tx, ask.batch)
    free = batch.seats - sum(row.status == "enrolled" for row in rows)
    up = [row.member for row in rows if row.status == "waiting"][: max(0, free)]
    await courses.set_enrolments(tx, ask.batch, up, status="enrolled")
    for member in up:
        tx.tell(EnrolmentConfirmed(member=member, batch=ask.batch, at=now))
        notify(tx, member, "enrolled", "你已从候补转为正式学员", now)
    return EnrolmentWithdrawn(batch=ask.batch, moved_up=up)


@router.subscriber(GiveFeedback.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def give_feedback(ask: GiveFeedback, principal: Principal, tx: Tx) -> FeedbackGiven:
    """A trainee says how it was."""
    if not await courses.set_enrolments(tx, ask.batch, [principal], rating=ask.rating, note=ask.note):
        raise Problem.of_field("batch", "you are not enrolled in it", 403)
    return FeedbackGiven(batch=ask.batch)


async def _check_run(tx: Transaction, ask: OpenRun) -> None:
    """Course, site and organisation are known, and the site is accredited as long as the run lasts."""
    site = await courses.site(tx, ask.site)
    if site is None:
        raise Problem.of_field("site", f"{ask.site} is not known", 404)
    if await courses.course(tx, ask.course) is None:
        raise Problem.of_field("course", f"{ask.course} is not known", 404)
    if ask.tailored_for is not None and await people.organisation(tx, ask.tailored_for) is None:
        raise Problem.of_field("tailored_for", f"{ask.tailored_for} is not known", 404)
    for n, batch in enumerate(ask.batches):
        if batch.ends_on < batch.starts_on:
            raise Problem.of_field(f"batches[{n}].ends_on", "is before starts_on")
    first, last = min(b.starts_on for b in ask.batches), max(b.ends_on for b in ask.batches)
    since, until = site.accredited_since, site.accredited_until
    if since is None or since > first or (until is not None and until < last):
        raise Problem.of_field("site", f"{ask.site} is not accredited for {first} to {last}; accredit it first", 409)


async def _refused(tx: Transaction, batch: Row[Any], wanted: list[str], day: date) -> list[Refused]:
    there = {row.member for row in await courses.trainees(tx, batch.id) if row.status != "withdrawn"}
    kinds = await courses.kinds_of(tx, wanted)
    refused = []
    for member in wanted:
        reason = may_enrol(kinds[member].kind, kinds[member].born, batch.kinds, batch.adults_only, day)
        if member in there:
            reason = "enrolled_already"
        elif kinds[member].left_on is not None:
            reason = "left"
        if reason:
            refused.append(Refused(member=member, reason=reason))
    return refused
