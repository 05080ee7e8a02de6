"""Courses (培训班): sites, runs and batches, seats, the timetable, attendance, exams, certificates."""

from typing import Annotated, Literal

from pydantic import Field

from shouwang.contracts.shapes import Fact, Part, Reply, Request
from shouwang.contracts.training.people import Limit, MemberKind, MemberPut, Refused, Tokens, Whom
from shouwang.contracts.words import Day, Id, Lat, Lon, Name, Text, Time, Token

SessionKind = Literal["theory", "skills", "night_patrol"]
AttendedBy = Literal["qr", "fence", "hand"]
EnrolmentStatus = Literal["enrolled", "waiting", "withdrawn"]
Code = Annotated[str, Field(max_length=200)]


# -- sites and courses -----------------------------------------------------------------------------------------------


class SitePut(Reply):
    """The site is on record."""

    site: Token


class PutSite(Request, name="training.put_site.v1", reply=SitePut):
    """Write a training site (训练点), or a base of the city (培训基地)."""

    site: Token
    name: Name
    level: Literal["city", "town"]
    lat: Lat | None = None
    lon: Lon | None = None
    fence: Token | None = Field(default=None, description="who enters this fence of location's is present")
    beds: Annotated[int, Field(ge=0, le=10_000)] = 0


class AccreditSite(Request, name="training.accredit_site.v1", reply=SitePut):
    """The site is accredited and has its plaque (授牌)."""

    site: Token
    since: Day
    until: Day | None = None


class SiteNow(Reply):
    """A site as it stands."""

    site: Token
    name: str
    level: Literal["city", "town"]
    lat: float | None
    lon: float | None
    fence: Token | None
    beds: int
    accredited_since: Day | None
    accredited_until: Day | None


class SiteList(Reply):
    """In the order of their tokens."""

    sites: list[SiteNow]


class Sites(Request, name="training.sites.v1", reply=SiteList):
    """All sites."""


class CoursePut(Reply):
    """The course is on record."""

    course: Token


class Subject(Part):
    """What is taught, and how long."""

    name: Name
    kind: SessionKind
    class_hours: Annotated[int, Field(ge=1, le=400, description="of 45 minutes")]


class SubjectNow(Reply):
    """The same, as a course has it."""

    name: str
    kind: SessionKind
    class_hours: int


class PutCourse(Request, name="training.put_course.v1", reply=CoursePut):
    """Write a course, or a package tailored to somebody (训练套餐)."""

    course: Token
    name: Name
    subjects: Annotated[list[Subject], Field(min_length=1, max_length=100)]
    kinds: list[MemberKind] = Field(default=[], description="whom it is for; anybody if empty")
    certificate: Token | None = Field(default=None, description="the kind that is issued to who passes")
    valid_months: Annotated[int, Field(ge=1, le=240)] | None = None
    pass_mark: Annotated[int, Field(ge=0, le=100)] = 60
    attend_pct: Annotated[int, Field(ge=0, le=100)] = 80
    adults_only: bool = True


class CourseNow(Reply):
    """A course as it stands."""

    course: Token
    name: str
    subjects: list[SubjectNow]
    kinds: list[MemberKind]
    certificate: Token | None
    valid_months: int | None
    pass_mark: int
    attend_pct: int


class CourseList(Reply):
    """In the order of their tokens."""

    courses: list[CourseNow]


class Courses(Request, name="training.courses.v1", reply=CourseList):
    """All courses."""


# -- runs and batches ------------------------------------------------------------------------------------------------


class BatchWanted(Part):
    """A batch (批次) to be opened."""

    starts_on: Day
    ends_on: Day
    seats: Annotated[int, Field(ge=1, le=2000)]


class RunOpened(Reply):
    """The run and its batches, in the order in which they were asked for."""

    run: Id
    batches: list[Id]


class OpenRun(Request, name="training.open_run.v1", reply=RunOpened):
    """Hold a course at a site (期), in one or more batches."""

    course: Token
    site: Token
    batches: Annotated[list[BatchWanted], Field(min_length=1, max_length=50)]
    tailored_for: Token | None = Field(default=None, description="the organisation that it is held for")


class SessionWanted(Part):
    """A lesson, or a night patrol of the programme."""

    starts_at: Time
    class_hours: Annotated[int, Field(ge=1, le=12, description="of 45 minutes")]
    subject: Name
    kind: SessionKind
    teacher: Name | None = None


class TimetableWarning(Reply):
    """A day with more than 6 hours of theory or 3 of skills, an overlap, or a session outside the batch's days."""

    day: Day
    code: Token
    detail: str


class TimetablePut(Reply):
    """The sessions in the order in which they were given; warnings do not keep them from being held."""

    sessions: list[Id]
    warnings: list[TimetableWarning]


class PutTimetable(Request, name="training.put_timetable.v1", reply=TimetablePut):
    """Give a batch its timetable, in place of the one it has. Sessions with attendance cannot be replaced: 409."""

    batch: Id
    sessions: Annotated[list[SessionWanted], Field(min_length=1, max_length=400)]


class Enrolled(Reply):
    """Who has a seat, who waits for one, in the order in which they came, and who cannot be enrolled."""

    enrolled: list[Token]
    waiting: list[Token]
    refused: list[Refused]


class Enrol(Whom, Request, name="training.enrol.v1", reply=Enrolled):
    """Enrol members, or all members of an organisation, while seats last; the others wait."""

    batch: Id


class EnrolmentWithdrawn(Reply):
    """Who moved up from the waiting list."""

    batch: Id
    moved_up: list[Token]


class WithdrawEnrolment(Request, name="training.withdraw_enrolment.v1", reply=EnrolmentWithdrawn):
    """Give a seat back."""

    batch: Id
    member: Token


class Trainee(Reply):
    """A trainee of a batch."""

    member: Token
    status: EnrolmentStatus
    attended: int = Field(description="sessions")
    score: float | None


class SessionNow(Reply):
    """A session as it stands."""

    session: Id
    starts_at: Time
    ends_at: Time
    class_hours: int
    subject: str
    kind: SessionKind
    teacher: str | None
    present: int


class BatchNow(Reply):
    """A batch as it stands."""

    batch: Id
    run: Id
    course: Token
    site: Token
    starts_on: Day
    ends_on: Day
    seats: int
    sessions: list[SessionNow]
    trainees: list[Trainee]


class Batch(Request, name="training.batch.v1", reply=BatchNow):
    """One batch with its timetable and trainees."""

    batch: Id


class BatchInList(Reply):
    """A line of a list."""

    batch: Id
    run: Id
    course: Token
    site: Token
    starts_on: Day
    ends_on: Day
    seats: int
    enrolled: int
    waiting: int


class BatchList(Reply):
    """Newest first."""

    batches: list[BatchInList]


class Batches(Request, name="training.batches.v1", reply=BatchList):
    """Batches, newest first; `before` pages on."""

    course: Token | None = None
    site: Token | None = None
    before: Id | None = None
    limit: Limit = 100


class FeedbackGiven(Reply):
    """Thanks."""

    batch: Id


class GiveFeedback(Request, name="training.give_feedback.v1", reply=FeedbackGiven):
    """A trainee says how it was; once for a batch, a second time replaces the first."""

    batch: Id
    rating: Annotated[int, Field(ge=1, le=5)]
    note: Text | None = None


# -- attendance ------------------------------------------------------------------------------------------------------


class CheckInShown(Reply):
    """What the screen in the classroom shows: a code that is good for a short while, and its QR as SVG."""

    session: Id
    code: Code
    svg: str
    valid_until: Time


class ShowCheckIn(Request, name="training.show_check_in.v1", reply=CheckInShown):
    """A fresh code for a session that is held now; a screen asks again before it runs out."""

    session: Id


class CheckedIn(Reply):
    """The trainee is present."""

    session: Id
    member: Token
    by: AttendedBy


class CheckIn(Request, name="training.check_in.v1", reply=CheckedIn):
    """A trainee says the code that it sees in the classroom."""

    code: Code


class AttendanceMarked(Reply):
    """How many were marked, and who could not be."""

    session: Id
    marked: int
    refused: list[Refused]


class MarkAttendance(Request, name="training.mark_attendance.v1", reply=AttendanceMarked):
    """Mark trainees present by hand, or take a mark back."""

    session: Id
    members: Tokens
    present: bool = True


# -- exam and certificates -------------------------------------------------------------------------------------------


class ExamResult(Part):
    """Of 100 points."""

    member: Token
    score: Annotated[float, Field(ge=0, le=100)]


class ExamRecorded(Reply):
    """How many passed and failed."""

    batch: Id
    passed: int
    failed: int
    refused: list[Refused]


class RecordExam(Request, name="training.record_exam.v1", reply=ExamRecorded):
    """Write the results of an exam; a later result of the same trainee replaces the earlier."""

    batch: Id
    results: Annotated[list[ExamResult], Field(min_length=1, max_length=2000)]


class CertificateIssuedNow(Reply):
    """A certificate, just issued. `code` stands in its QR: whoever has it can verify the paper."""

    certificate: Id
    member: Token
    number: str
    code: Code


class CertificatesIssued(Reply):
    """New certificates; and who gets none, and why (`absent`, `failed`, `not_examined`, `has_one`)."""

    batch: Id
    issued: list[CertificateIssuedNow]
    refused: list[Refused]


class IssueCertificates(Request, name="training.issue_certificates.v1", reply=CertificatesIssued):
    """Issue the course's certificate to everybody in the batch who attended and passed, and has none of it yet."""

    batch: Id


class CertificatePrinted(Reply):
    """What stands on the paper: the holder's name in full, and a QR (SVG) that anybody can verify."""

    certificate: Id
    kind: Token
    number: str
    holder: str
    issued_on: Day
    valid_until: Day | None
    code: Code
    svg: str


class PrintCertificate(Request, name="training.print_certificate.v1", reply=CertificatePrinted):
    """The certificate for printing; for its holder, or an organiser."""

    certificate: Id


class CertificateVerified(Reply):
    """What anybody may know who holds the paper: whether it is real and in force, and a masked name to compare."""

    status: Literal["valid", "expired", "revoked"]
    kind: Token
    number: str
    holder: str
    issued_on: Day
    valid_until: Day | None


class VerifyCertificate(Request, name="training.verify_certificate.v1", reply=CertificateVerified):
    """Is this certificate real? The code is signed: one that was made up is 404."""

    code: Code


class RecordCertificate(Request, name="training.record_certificate.v1", reply=MemberPut):
    """A certificate that somebody else issued, such as the guard certificate (保安员证)."""

    member: Token
    kind: Token
    number: Name
    issued_on: Day
    valid_until: Day | None = None


class RevokeCertificate(Request, name="training.revoke_certificate.v1", reply=MemberPut):
    """A certificate is no longer good; the member is off duty at once if it was needed."""

    certificate: Id
    reason: Text


# -- facts -----------------------------------------------------------------------------------------------------------


class RunOpenedFact(Fact, name="training.run.opened.v1", keys=("run",)):
    """A course is held."""

    run: Id
    course: Token
    site: Token
    batches: list[Id]
    at: Time


class EnrolmentConfirmed(Fact, name="training.enrolment.confirmed.v1", keys=("member", "batch")):
    """A member has a seat."""

    member: Token
    batch: Id
    at: Time


class EnrolmentWaitlisted(Fact, name="training.enrolment.waitlisted.v1", keys=("member", "batch")):
    """A member waits for a seat."""

    member: Token
    batch: Id
    at: Time


class EnrolmentWithdrawnFact(Fact, name="training.enrolment.withdrawn.v1", keys=("member", "batch")):
    """A member gave its seat, or its place in the line, back."""

    member: Token
    batch: Id
    at: Time


class SessionAttended(Fact, name="training.session.attended.v1", keys=("member", "session")):
    """A trainee was present."""

    member: Token
    session: Id
    by: AttendedBy
    at: Time


class ExamRecordedFact(Fact, name="training.exam.recorded.v1", keys=("batch",)):
    """An exam was held: numbers, no names."""

    batch: Id
    passed: int
    failed: int
    at: Time


class CertificateIssued(Fact, name="training.certificate.issued.v1", keys=("member", "certificate")):
    """A certificate was issued, or one of somebody else's recorded."""

    certificate: Id
    member: Token
    kind: Token
    issued_on: Day
    valid_until: Day | None
    at: Time


class CertificateRevoked(Fact, name="training.certificate.revoked.v1", keys=("member", "certificate")):
    """A certificate is no longer good."""

    certificate: Id
    member: Token
    kind: Token
    at: Time


class CertificateExpired(Fact, name="training.certificate.expired.v1", keys=("member", "certificate")):
    """A certificate has run out."""

    certificate: Id
    member: Token
    kind: Token
    at: Time
