"""Sites, courses, batches; whether a certificate is real."""

from datetime import date
from typing import Any, Literal

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.doors import View, lookups
from shouwang.common.problems import Problem
from shouwang.contracts.training.courses import (
    Batch,
    Batches,
    BatchInList,
    BatchList,
    BatchNow,
    CertificatePrinted,
    CertificateVerified,
    CourseList,
    CourseNow,
    Courses,
    PrintCertificate,
    SessionNow,
    SiteList,
    SiteNow,
    Sites,
    Trainee,
    VerifyCertificate,
)
from shouwang.training import SERVICE
from shouwang.training.domain.codes import read, sign
from shouwang.training.domain.days import day_of
from shouwang.training.domain.identity import masked_name
from shouwang.training.handlers.parts import Key, Now
from shouwang.training.qr import svg
from shouwang.training.queries.parts import named
from shouwang.training.store import courses

router: NatsRouter = lookups()
AT_ONCE = 4


@router.subscriber(Sites.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def sites(ask: Sites, view: View) -> SiteList:
    """All sites."""
    return SiteList(sites=[SiteNow(**row._mapping) for row in await courses.site_list(view)])


@router.subscriber(Courses.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def all_courses(ask: Courses, view: View) -> CourseList:
    """All courses."""
    return CourseList(courses=[CourseNow(**row._mapping) for row in await courses.course_list(view)])


@router.subscriber(Batch.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def batch(ask: Batch, view: View) -> BatchNow:
    """One batch with its timetable and trainees."""
    row = await courses.batch(view, ask.batch)
    if row is None:
        raise Problem.of_field("batch", f"{ask.batch} is not known", 404)
    came = await courses.attended(view, ask.batch)
    trainees = [
        Trainee(member=t.member, status=t.status, attended=came.get(t.member, 0), score=t.score)
        for t in await courses.trainees(view, ask.batch)
    ]
    sessions = [_session(session) for session in await courses.sessions_of(view, ask.batch)]
    return BatchNow(**named(row, "batch"), sessions=sessions, trainees=trainees)


@router.subscriber(Batches.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def batches(ask: Batches, view: View) -> BatchList:
    """Batches, newest first."""
    rows = await courses.batch_list(view, **ask.model_dump())
    return BatchList(batches=[BatchInList(**named(row, "batch")) for row in rows])


@router.subscriber(PrintCertificate.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def print_certificate(ask: PrintCertificate, view: View, key: Key) -> CertificatePrinted:
    """What stands on the paper."""
    row = await courses.certificate(view, ask.certificate)
    if row is None:
        raise Problem.of_field("certificate", f"{ask.certificate} is not known", 404)
    code = sign("cert", row.id, key)
    fields = named(row, "certificate")
    return CertificatePrinted(**fields, holder=row.name, code=code, svg=svg(code))


@router.subscriber(VerifyCertificate.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def verify_certificate(ask: VerifyCertificate, view: View, clock: Now, key: Key) -> CertificateVerified:
    """Is this certificate real, and in force?"""
    token = read("cert", ask.code, key)
    row = await courses.certificate(view, token) if token else None
    if row is None:
        raise Problem.of_field("code", "is not of a certificate of ours", 404)
    status = _status(row, day_of(clock()))
    return CertificateVerified(**named(row, "certificate"), status=status, holder=masked_name(row.name))


def _status(row: Row[Any], today: date) -> Literal["valid", "expired", "revoked"]:
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.valid_until is not None and row.valid_until < today else "valid"


def _session(row: Row[Any]) -> SessionNow:
    return SessionNow(**named(row, "session"))
