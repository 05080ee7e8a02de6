"""Exams and certificates: who passed, what is issued, what is no longer good."""

from datetime import date
from typing import Any

from faststream.nats import NatsRouter
from sqlalchemy import Row

from shouwang.common.database import Transaction
from shouwang.common.doors import Tx, commands
from shouwang.common.ids import new_id
from shouwang.common.problems import Problem
from shouwang.contracts.training.courses import (
    CertificateIssued,
    CertificateIssuedNow,
    CertificateRevoked,
    CertificatesIssued,
    ExamRecorded,
    ExamRecordedFact,
    IssueCertificates,
    RecordCertificate,
    RecordExam,
    RevokeCertificate,
)
from shouwang.contracts.training.people import MemberPut, Refused
from shouwang.training import SERVICE
from shouwang.training.domain.codes import sign
from shouwang.training.domain.courses import outcome, valid_until
from shouwang.training.domain.days import day_of
from shouwang.training.handlers.parts import AT_ONCE, Key, Now, known, lock_batch
from shouwang.training.standings import review
from shouwang.training.store import courses, people
from shouwang.training.tables.people import certificates

router: NatsRouter = commands()


@router.subscriber(RecordExam.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_exam(ask: RecordExam, tx: Tx, clock: Now) -> ExamRecorded:
    """Write the results of an exam."""
    batch = await lock_batch(tx, ask.batch)
    scores = {result.member: result.score for result in ask.results}
    sat = {row.member for row in await courses.trainees(tx, ask.batch) if row.status == "enrolled"}
    for member in sorted(sat & set(scores)):
        await courses.set_enrolments(tx, ask.batch, [member], score=scores[member])
    passed = sum(scores[member] >= batch.pass_mark for member in sat & set(scores))
    failed = len(sat & set(scores)) - passed
    tx.tell(ExamRecordedFact(batch=ask.batch, passed=passed, failed=failed, at=clock()))
    refused = [Refused(member=member, reason="not_enrolled") for member in scores if member not in sat]
    return ExamRecorded(batch=ask.batch, passed=passed, failed=failed, refused=refused)


@router.subscriber(IssueCertificates.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def issue_certificates(ask: IssueCertificates, tx: Tx, clock: Now, key: Key) -> CertificatesIssued:
    """Issue the course's certificate to everybody who attended and passed."""
    batch, now = await lock_batch(tx, ask.batch), clock()
    if batch.certificate is None:
        raise Problem.of_field("batch", "its course has no certificate", 409)
    earned, refused = await _judge(tx, batch)
    rows = await _numbered(tx, batch, earned, day_of(now))
    await people.record(tx, certificates, rows)
    for row in rows:
        tx.tell(CertificateIssued.model_validate({**row, "certificate": row["id"], "at": now}))
    await review(tx, earned, now)
    issued = [
        CertificateIssuedNow(
            certificate=row["id"], member=row["member"], number=row["number"], code=sign("cert", row["id"], key)
        )
        for row in rows
    ]
    return CertificatesIssued(batch=ask.batch, issued=issued, refused=refused)


@router.subscriber(RecordCertificate.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def record_certificate(ask: RecordCertificate, tx: Tx, clock: Now) -> MemberPut:
    """A certificate that somebody else issued."""
    await known(tx, "member", [ask.member])
    if ask.valid_until is not None and ask.valid_until < ask.issued_on:
        raise Problem.of_field("valid_until", "is before issued_on")
    row = {"id": new_id(), "batch": None, **ask.model_dump()}
    if not await people.add_certificate(tx, row):
        raise Problem.of_field("number", "is on record already; revoke that one first", 409)
    tx.tell(CertificateIssued.model_validate({**row, "certificate": row["id"], "at": clock()}))
    await review(tx, [ask.member], clock())
    return MemberPut(member=ask.member)


@router.subscriber(RevokeCertificate.subject("{principal}"), SERVICE, max_workers=AT_ONCE)
async def revoke_certificate(ask: RevokeCertificate, tx: Tx, clock: Now) -> MemberPut:
    """A certificate is no longer good."""
    row, now = await courses.certificate(tx, ask.certificate), clock()
    if row is None:
        raise Problem.of_field("certificate", f"{ask.certificate} is not known", 404)
    if await courses.revoke(tx, ask.certificate, ask.reason, now):
        tx.tell(CertificateRevoked(certificate=row.id, member=row.member, kind=row.kind, at=now))
        await review(tx, [row.member], now)
    return MemberPut(member=row.member)


async def _judge(tx: Transaction, batch: Row[Any]) -> tuple[list[str], list[Refused]]:
    """Who has earned a certificate, and who has not, and why."""
    enrolled = [row for row in await courses.trainees(tx, batch.id) if row.status == "enrolled"]
    held, came = len(await courses.sessions_of(tx, batch.id)), await courses.attended(tx, batch.id)
    have = await courses.have_certificate(tx, batch.certificate, [row.member for row in enrolled], batch.id)
    earned, refused = [], []
    marks = {"attend_pct": batch.attend_pct, "pass_mark": batch.pass_mark}
    for row in enrolled:
        lacks = "has_one" if row.member in have else outcome(came.get(row.member, 0), held, row.score, **marks)
        if lacks:
            refused.append(Refused(member=row.member, reason=lacks))
        else:
            earned.append(row.member)
    return earned, refused


async def _numbered(tx: Transaction, batch: Row[Any], members: list[str], today: date) -> list[dict[str, Any]]:
    """New certificates, numbered on within their kind and year."""
    first = await courses.next_number(tx, batch.certificate, today.year)
    until = valid_until(today, batch.valid_months)
    return [
        {
            "id": new_id(), "member": member, "kind": batch.certificate, "batch": batch.id,
            "number": f"{batch.certificate}-{today.year}-{number:05}", "issued_on": today, "valid_until": until,
        }
        for number, member in enumerate(members, first)
    ]  # fmt: skip
